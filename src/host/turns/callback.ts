import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { withinLimit } from "../../time_limit.ts";

/** A hook of an actor: its name in errors, and how long it may take. */
export interface CallbackLimit {
  readonly name: string;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * Runs a hook within its time. One that ends at once costs no more than its call.
 * @throws ActrError `actor.callback_timed_out`; the signal's reason; what the hook throws.
 */
export function callback<T>(
  clock: Clock,
  limit: CallbackLimit,
  run: () => T | Promise<T>,
): T | Promise<T> {
  limit.signal.throwIfAborted();
  const result = run();
  return result instanceof Promise ? callbackEnd(clock, limit, result) : result;
}

/** Waits for the end of a hook that has begun. @throws as {@link callback}. */
export async function callbackEnd<T>(
  clock: Clock,
  { name, ms, signal }: CallbackLimit,
  running: Promise<T>,
): Promise<T> {
  try {
    return await withinLimit(clock, { what: name, ms, signal }, () => running);
  } catch (error) {
    const late =
      ActrError.is(error) && error.code === "timed_out" && error.message.startsWith(name);
    if (!late) throw error;
    throw new ActrError("actor.callback_timed_out", `${name} took longer than ${ms} ms`, {
      details: { callback_name: name, duration_ms: ms },
    });
  }
}
