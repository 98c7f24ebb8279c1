import type { ErrorSource } from "../actor.ts";
import { ActrError } from "../errors.ts";
import type { InstanceParts } from "./instance_parts.ts";

/** Tells the log and the actor's own `onError` what went wrong in it. */
export function reportError(
  { log, kind, context }: Pick<InstanceParts, "log" | "kind" | "context">,
  error: unknown,
  source: ErrorSource,
): void {
  const failure = ActrError.from(error);
  log.error("actor.error", { source, error_code: failure.code, error: failure });
  const { onError } = kind.definition;
  if (onError === undefined) return;
  try {
    onError(context, failure, source);
  } catch (cause) {
    log.error("actor.on_error_failed", { error: cause });
  }
}
