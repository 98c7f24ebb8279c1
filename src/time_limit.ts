import { abortable } from "#async";
import { ActrError } from "./errors.ts";
import type { Clock } from "./ports/clock.ts";

/** A signal that a deadline or a parent aborts, until cancelled. */
export interface Limit {
  readonly signal: AbortSignal;
  /** Ends the watch; call it as soon as the bounded work is done. */
  cancel(): void;
}

/** A signal aborted with `timed_out` after `ms`, or with the parent's reason when that aborts first. `what` begins the error's text. */
export function abortAfter(clock: Clock, ms: number, parent?: AbortSignal, what = "this"): Limit {
  const controller = new AbortController();
  const timer = clock.timer(clock.now() + ms, () =>
    controller.abort(new ActrError("timed_out", `${what} took longer than ${ms} ms`)),
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

/** As {@link abortAfter} from its making on, for work that mostly ends at once: nothing is watched until its signal is asked for. */
export class LateLimit implements Limit {
  readonly #clock: Clock;
  readonly #atMs: number;
  readonly #what: string;
  #limit: Limit | undefined;

  constructor(clock: Clock, ms: number, what: string) {
    this.#clock = clock;
    this.#atMs = clock.now() + ms;
    this.#what = what;
  }

  get signal(): AbortSignal {
    this.#limit ??= abortAfter(
      this.#clock,
      Math.max(0, this.#atMs - this.#clock.now()),
      undefined,
      this.#what,
    );
    return this.#limit.signal;
  }

  throwIfAborted(): void {
    this.#limit?.signal.throwIfAborted();
  }

  cancel(): void {
    this.#limit?.cancel();
  }
}

/** What a limited wait is called in errors, how long it may take, and who else may end it. */
export interface TimeLimit {
  /** Begins the error text, such as `registration`. */
  readonly what: string;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * Runs `work` under a limit; also work that ignores its signal is no longer waited for when the time is up.
 * @throws ActrError `timed_out`; the reason of `limit.signal`; whatever `work` throws.
 */
export async function withinLimit<T>(
  clock: Clock,
  { what, ms, signal }: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const limit = abortAfter(clock, ms, signal, what);
  try {
    return await abortable(work(limit.signal), limit.signal);
  } finally {
    limit.cancel();
  }
}
