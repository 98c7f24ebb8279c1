import { ActrError, type ErrorCode } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";

/** How often something is tried, and the pauses between: they double, each shortened by chance to no less than half. */
const maxAttempts = 6;
const firstPauseMs = 100;

/** What {@link retried} works with. */
export interface RetryParts {
  readonly clock: Clock;
  readonly random: Random;
}

/** Failures that tell that nothing was done: nobody took it. */
const refusals: readonly ErrorCode[] = [
  "actor.starting",
  "actor.not_ready",
  "actor.stopping",
  "actor.destroying",
  "actor.restarting",
  "actor.overloaded",
  "queue.full",
];

/** Whether what failed so was not done, not even in part. */
export function wasRefused({ code }: ActrError): boolean {
  return refusals.includes(code);
}

/**
 * Does `work` again while it fails for now; waits as long as the failure asks for, if it does.
 * @param mayRepeat which failures allow it, of those that may pass.
 * @param signal ends the pauses, with its reason. @throws the last failure.
 */
export async function retried<T>(
  { clock, random }: RetryParts,
  signal: AbortSignal,
  work: () => Promise<T>,
  mayRepeat: (error: ActrError) => boolean = () => true,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const again = attempt < maxAttempts && !signal.aborted;
      if (!again || !ActrError.is(error) || !error.retryable || !mayRepeat(error)) throw error;
      const pauseMs = firstPauseMs * 2 ** (attempt - 1) * (1 - random.next() / 2);
      await clock.sleep(error.retryAfterMs ?? pauseMs, { signal });
    }
  }
}
