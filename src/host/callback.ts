import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { withinLimit } from "../time_limit.ts";

/** A hook of an actor: its name in errors, and how long it may take. */
export interface CallbackLimit {
  readonly name: string;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * Runs a hook within its time.
 * @throws ActrError `actor.callback_timed_out`; the signal's reason; what the hook throws.
 */
export async function callback<T>(
  clock: Clock,
  { name, ms, signal }: CallbackLimit,
  run: () => T | Promise<T>,
): Promise<T> {
  const late = new ActrError("actor.callback_timed_out", `${name} took longer than ${ms} ms`, {
    details: { callback_name: name, duration_ms: ms },
  });
  try {
    return await withinLimit(clock, { what: name, ms, signal }, async () => await run());
  } catch (error) {
    throw ActrError.is(error) && error.code === "timed_out" && error.message.startsWith(name)
      ? late
      : error;
  }
}
