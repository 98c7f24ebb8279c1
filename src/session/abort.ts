import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";

/** A signal that a deadline or a parent aborts, until cancelled. */
export interface Limit {
  readonly signal: AbortSignal;
  /** Ends the watch; call it as soon as the bounded work is done. */
  cancel(): void;
}

/** A signal aborted with `timed_out` after `ms`, or with the parent's reason when that aborts first. */
export function abortAfter(clock: Clock, ms: number, parent?: AbortSignal): Limit {
  const controller = new AbortController();
  const timer = clock.timer(clock.now() + ms, () =>
    controller.abort(new ActrError("timed_out", `not done after ${ms} ms`)),
  );
  const follow = (): void => controller.abort(parent?.reason);
  if (parent?.aborted === true) follow();
  else parent?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    cancel() {
      timer.cancel();
      parent?.removeEventListener("abort", follow);
    },
  };
}
