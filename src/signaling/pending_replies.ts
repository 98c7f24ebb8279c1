import { ActrError } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";

/** One wait for a reply. */
export interface ReplyWait {
  /** Names the request in errors. */
  readonly what: string;
  /** How long to wait, milliseconds. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

interface Waiting<T> {
  readonly resolve: (reply: T) => void;
  readonly reject: (reason: unknown) => void;
  readonly release: () => void;
}

/** Requests that wait for the envelope that names them in `reply_for`. */
export class PendingReplies<T> {
  readonly #clock: Clock;
  readonly #maxPending: number;
  readonly #waiting = new Map<string, Waiting<T>>();

  /** @param maxPending requests that may wait at once. */
  constructor(clock: Clock, maxPending: number) {
    this.#clock = clock;
    this.#maxPending = maxPending;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Whether a reply to `envelopeId` is waited for. */
  has(envelopeId: string): boolean {
    return this.#waiting.has(envelopeId);
  }

  /**
   * Waits for the reply to `envelopeId`. Throws at once when too many wait or the signal has aborted: then nothing is to be sent.
   * @throws ActrError `overloaded`, `timed_out`; the signal's reason.
   */
  wait(envelopeId: string, { what, limitMs, signal }: ReplyWait): Promise<T> {
    signal.throwIfAborted();
    if (this.#waiting.size >= this.#maxPending) throw tooMany(what);
    return new Promise<T>((resolve, reject) => {
      const fail = (reason: unknown): void => {
        this.#take(envelopeId);
        reject(reason);
      };
      const onAbort = (): void => fail(signal.reason);
      const timer: Timer = this.#clock.timer(this.#clock.now() + limitMs, () =>
        fail(new ActrError("timed_out", `signaling did not answer ${what} in ${limitMs} ms`)),
      );
      const release = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", onAbort);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.set(envelopeId, { resolve, reject, release });
    });
  }

  /** Hands a reply to the request that waits for it; false when none does. */
  settle(replyFor: string, reply: T): boolean {
    const waiting = this.#take(replyFor);
    waiting?.resolve(reply);
    return waiting !== undefined;
  }

  /** Fails every request that waits. */
  failAll(reason: unknown): void {
    for (const envelopeId of [...this.#waiting.keys()]) this.#take(envelopeId)?.reject(reason);
  }

  #take(envelopeId: string): Waiting<T> | undefined {
    const waiting = this.#waiting.get(envelopeId);
    this.#waiting.delete(envelopeId);
    waiting?.release();
    return waiting;
  }
}

function tooMany(what: string): ActrError {
  return new ActrError("overloaded", `${what} is not sent: too many signaling requests wait`, {
    retryAfterMs: 1_000,
  });
}
