import type { Clock, Timer } from "../ports/clock.ts";

/** Whose rest is timed. */
export interface IdleOwner {
  /** Why it does not rest now. */
  readonly awakeReason: string | undefined;
  /** It has rested long enough. */
  fallAsleep(): void;
}

/** How long an actor has had nothing to do. What begins and ends in quick succession costs no timer each. */
export class Idle {
  readonly #clock: Clock;
  readonly #owner: IdleOwner;
  readonly #sleepAfterMs: number;
  #since = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, owner: IdleOwner, sleepAfterMs: number) {
    this.#clock = clock;
    this.#owner = owner;
    this.#sleepAfterMs = sleepAfterMs;
  }

  /** It has something to do. */
  busy(): void {
    this.#since = Number.POSITIVE_INFINITY;
  }

  /** Begins the time after which it sleeps, if nothing keeps it awake. */
  rest(): void {
    this.#since = this.#clock.now();
    if (this.#timer === undefined && this.#owner.awakeReason === undefined) this.#arm();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    const dueAt = this.#since + this.#sleepAfterMs;
    this.#timer = this.#clock.timer(dueAt, () => {
      this.#timer = undefined;
      if (this.#owner.awakeReason !== undefined) return;
      // Something was done meanwhile: the rest of the time since then.
      if (this.#clock.now() < this.#since + this.#sleepAfterMs) return this.#arm();
      this.#owner.fallAsleep();
    });
  }
}
