/** Severities, least first. */
export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/**
 * Attributes of one log event, named in `snake_case` as Actr's are (`spec/node.md` §19): `request_id`, `route_key`,
 * `caller`, `message_id`, `error_code`, `severity`, `error_category`. Values are rendered by the adapter; one that is
 * undefined is left out. Never credentials, never payloads.
 */
export type LogAttributes = Readonly<Record<string, unknown>>;

/** Structured log: a stable dotted event name, attributes apart from it. */
export interface Logger {
  /** Whether an event of this level would be written; ask before computing costly attributes. */
  enabled(level: LogLevel): boolean;
  trace(event: string, attributes?: LogAttributes): void;
  debug(event: string, attributes?: LogAttributes): void;
  info(event: string, attributes?: LogAttributes): void;
  warn(event: string, attributes?: LogAttributes): void;
  error(event: string, attributes?: LogAttributes): void;
  /** A logger that adds `attributes` to every event. */
  with(attributes: LogAttributes): Logger;
}
