import { ActrError } from "../errors.ts";
import type { Frame } from "../protocol/frame.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { abortAfter } from "../time_limit.ts";
import type { CallPlumbing } from "./outbound_call.ts";
import { mayRetry, pauseAfter, type RetryPolicy } from "./retry.ts";

/**
 * Hands one frame to a link of the peer; the same bytes again after a transient failure, within `timeoutMs`.
 * @throws ActrError `timed_out`, `unavailable`, or the signal's reason.
 */
export async function sendWithRetry(
  plumbing: CallPlumbing,
  target: ActrId,
  frame: Frame,
  policy: RetryPolicy,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  const { clock, sessions } = plumbing;
  const limit = abortAfter(clock, options.timeoutMs, options.signal);
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const link = await sessions.acquire(target, formatActrId(target), limit.signal);
        return await link.send(frame, { signal: limit.signal });
      } catch (thrown) {
        const error = ActrError.from(thrown, "unavailable");
        if (!mayRetry(error) || attempt >= policy.attempts || limit.signal.aborted) throw thrown;
        await clock.sleep(pauseAfter(policy, attempt, error.retryAfterMs), limit);
      }
    }
  } finally {
    limit.cancel();
  }
}
