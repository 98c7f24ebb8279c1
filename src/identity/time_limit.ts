import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";

/** What a limited wait is called in errors, how long it may take, and who else may end it. */
export interface TimeLimit {
  /** Begins the error text, such as `registration`. */
  readonly what: string;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * Runs `work` under a signal that aborts with `limit.signal` or when the time is up; then also `work` that ignores its signal is no longer waited for.
 * @throws ActrError `timed_out`; the reason of `limit.signal`; whatever `work` throws.
 */
export function withinLimit<T>(
  clock: Clock,
  limit: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { what, ms, signal } = limit;
  if (signal.aborted) return Promise.reject(signal.reason);
  const inner = new AbortController();
  const follow = (): void => inner.abort(signal.reason);
  signal.addEventListener("abort", follow, { once: true });
  const timer = clock.timer(clock.now() + ms, () =>
    inner.abort(new ActrError("timed_out", `${what} took longer than ${ms} ms`)),
  );
  return untilAborted(work(inner.signal), inner.signal).finally(() => {
    timer.cancel();
    signal.removeEventListener("abort", follow);
  });
}

/** What `promise` becomes, or the signal's reason if that comes first; the promise itself goes on. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
