import type { Clock } from "../ports/clock.ts";

/** Bytes that may be sent within one turn of the event loop: a millisecond or two of work. */
const maxBytes = 524_288;
/** Bytes that a message is counted as beside its own, so that empty ones are bounded too. */
const overheadBytes = 256;

/**
 * Has those who send without waiting for answers yield to the event loop now and then. A link that has room says so
 * at once: who sends as fast as it takes would otherwise keep timers, sockets and everybody else waiting.
 */
export class YieldBudget {
  readonly #clock: Pick<Clock, "defer">;
  #spent = 0;
  #turn: Promise<void> | undefined;

  constructor(clock: Pick<Clock, "defer">) {
    this.#clock = clock;
  }

  /** Counts a message that was sent; what its sender has to wait for before the next one, where others are due. */
  spend(bytes: number): Promise<void> | undefined {
    this.#spent += bytes + overheadBytes;
    if (this.#turn === undefined && this.#spent > maxBytes) {
      this.#turn = new Promise((resolve) => {
        this.#clock.defer(() => {
          this.#turn = undefined;
          this.#spent = 0;
          resolve();
        });
      });
    }
    return this.#turn;
  }
}
