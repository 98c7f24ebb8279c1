import { ActrError } from "../errors.ts";
import type { Frame } from "../protocol/frame.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { abortAfter } from "../time_limit.ts";
import type { CallPlumbing } from "./outbound_call.ts";
import { isRefusal, mayRetry, pauseAfter, type RetryPolicy } from "./retry.ts";

/**
 * Hands one frame to a link of the peer; the same bytes again after a transient failure, within `timeoutMs`.
 * @throws ActrError `timed_out`, `unavailable`, `connection_not_ready`, or the signal's reason.
 */
export async function sendWithRetry(
  plumbing: CallPlumbing,
  target: ActrId,
  frame: Frame,
  policy: RetryPolicy,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  const { clock, sessions, yields } = plumbing;
  const limit = abortAfter(clock, options.timeoutMs, options.signal);
  const { generation } = sessions;
  try {
    for (let attempt = 1; ; attempt += 1) {
      sessions.assertSame(generation);
      try {
        const patient = attempt > 1;
        const link = await sessions.acquire(target, formatActrId(target), limit.signal, {
          patient,
        });
        await link.send(frame, { signal: limit.signal });
        return await yields.spend(frame.body.length);
      } catch (thrown) {
        const error = ActrError.from(thrown, "unavailable");
        if (limit.signal.aborted || isRefusal(error, attempt)) throw thrown;
        if (!mayRetry(error) || attempt >= policy.attempts) throw thrown;
        await clock.sleep(pauseAfter(policy, attempt, error.retryAfterMs), limit);
      }
    }
  } finally {
    limit.cancel();
  }
}
