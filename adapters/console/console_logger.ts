import { ActrError } from "../../src/errors.ts";
import {
  type LogAttributes,
  type Logger,
  type LogLevel,
  logLevels,
} from "../../src/ports/logger.ts";

/** Options of {@link consoleLogger}. */
export interface ConsoleLoggerOptions {
  /** Least severe level written; what is none counts as `info`, and a line says so. @default "info" */
  readonly level?: LogLevel;
  /** `json`: one object a line; `text`: for people. @default "text" */
  readonly format?: "json" | "text";
  /** Takes a finished line. @default standard error */
  readonly write?: (line: string) => void;
}

/** Writes logs to standard error, one line each. */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const { level = "info", format = "text", write = toStandardError } = options;
  const render = format === "json" ? jsonLine : textLine;
  const known = logLevels.includes(level);
  const levels = levelsFrom(known ? level : "info");
  const logger = new LineLogger(levels, (...parts) => write(render(...parts)), {});
  if (!known) logger.warn("log.level_unknown", { level, used: "info" });
  return logger;
}

/** Writes nothing. */
export function silentLogger(): Logger {
  return new LineLogger(new Set(), () => {}, {});
}

function levelsFrom(level: LogLevel): ReadonlySet<LogLevel> {
  return new Set(logLevels.slice(logLevels.indexOf(level)));
}

type Emit = (level: LogLevel, event: string, attributes: LogAttributes) => void;

class LineLogger implements Logger {
  readonly #levels: ReadonlySet<LogLevel>;
  readonly #emit: Emit;
  readonly #attributes: LogAttributes;

  constructor(levels: ReadonlySet<LogLevel>, emit: Emit, attributes: LogAttributes) {
    this.#levels = levels;
    this.#emit = emit;
    this.#attributes = attributes;
  }

  enabled(level: LogLevel): boolean {
    return this.#levels.has(level);
  }

  trace(event: string, attributes?: LogAttributes): void {
    this.#write("trace", event, attributes);
  }

  debug(event: string, attributes?: LogAttributes): void {
    this.#write("debug", event, attributes);
  }

  info(event: string, attributes?: LogAttributes): void {
    this.#write("info", event, attributes);
  }

  warn(event: string, attributes?: LogAttributes): void {
    this.#write("warn", event, attributes);
  }

  error(event: string, attributes?: LogAttributes): void {
    this.#write("error", event, attributes);
  }

  with(attributes: LogAttributes): Logger {
    return new LineLogger(this.#levels, this.#emit, { ...this.#attributes, ...attributes });
  }

  #write(level: LogLevel, event: string, attributes: LogAttributes | undefined): void {
    if (this.enabled(level)) this.#emit(level, event, { ...this.#attributes, ...attributes });
  }
}

function jsonLine(level: LogLevel, event: string, attributes: LogAttributes): string {
  const time = new Date().toISOString();
  return JSON.stringify({ time, level, event, ...mapped(attributes) });
}

function textLine(level: LogLevel, event: string, attributes: LogAttributes): string {
  const time = new Date().toISOString().slice(11, 23);
  const pairs = Object.entries(mapped(attributes)).map(
    ([name, value]) => `${name}=${quoted(value)}`,
  );
  return [time, level.toUpperCase().padEnd(5), event, ...pairs].join(" ");
}

function mapped(attributes: LogAttributes): Record<string, unknown> {
  const known = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name, plain(value)]));
}

/** A value that JSON can show. Who logs must not fail by it: of what cannot be shown, such as a circle, the kind is told. */
function plain(value: unknown): unknown {
  const shown = plainLeaf(value);
  if (typeof shown !== "object" || shown === null) return shown;
  try {
    return JSON.parse(JSON.stringify(shown, plainWithin));
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** The same for what is within an object; bytes are looked at before their own `toJSON` shows them. */
function plainWithin(this: Readonly<Record<string, unknown>>, name: string, value: unknown) {
  const own = this[name];
  return plainLeaf(own instanceof Uint8Array ? own : value);
}

/** Errors with code and cause, big numbers as text, bytes by their number; everything else as it is. */
function plainLeaf(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (!(value instanceof Error)) return value;
  const code = ActrError.is(value) ? `${value.code}: ` : "";
  const cause = value.cause instanceof Error ? ` (${value.cause.message})` : "";
  return `${code}${value.message}${cause}`;
}

/** Quoted where it would break the line or steer the terminal: the text may be a stranger's. */
function quoted(value: unknown): string {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[\s"\p{Cc}]/u.test(text) ? JSON.stringify(text).replace(/\p{Cc}/gu, escaped) : text;
}

/** A control character that JSON leaves as it is. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function toStandardError(line: string): void {
  console.error(line);
}
