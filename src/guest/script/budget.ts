import type { Clock } from "../../ports/clock.ts";

/** Most points that the engine's counter holds. */
const mostCounted = 0x7fff_ffff;

/** Points that are left, as the engine counts them down. */
export interface FuelCounter {
  value: number;
}

/** What one entry may still use; it lasts for all that the entry causes. */
export interface Budget {
  /** Points of the engine. */
  fuel: number;
  /** Milliseconds of running, not of waiting. */
  busyMs: number;
}

/** Lets the guest run on the budget of an entry. */
export class Meter {
  readonly #clock: Clock;
  readonly #counter: FuelCounter;
  #deadline = Number.POSITIVE_INFINITY;
  #reserve = 0;
  #late = false;

  constructor(clock: Clock, counter: FuelCounter) {
    this.#clock = clock;
    this.#counter = counter;
  }

  /** Whether the guest ended because its time was up. */
  get late(): boolean {
    return this.#late;
  }

  /** Whether it ended for want of fuel. */
  get empty(): boolean {
    return this.#counter.value === 0;
  }

  /** Does work in the guest; what that uses is taken off the budget. */
  run<T>(budget: Budget, work: () => T): T {
    const begun = this.#clock.monotonic();
    this.#deadline = begun + budget.busyMs;
    this.#reserve = budget.fuel;
    this.#counter.value = 0;
    this.#refill();
    try {
      return work();
    } finally {
      this.#deadline = Number.POSITIVE_INFINITY;
      budget.fuel = this.#reserve + this.#counter.value;
      budget.busyMs -= this.#clock.monotonic() - begun;
    }
  }

  /** Takes points for work that the host does at the guest's wish. */
  charge(points: number): void {
    this.#counter.value = Math.max(0, this.#counter.value - points);
    this.#refill();
  }

  /** Whether the running guest has to end; asked by the engine at its own pace. */
  isOver(): boolean {
    this.#refill();
    this.#late ||= this.#clock.monotonic() > this.#deadline;
    return this.#late;
  }

  #refill(): void {
    const missing = Math.min(this.#reserve, mostCounted - this.#counter.value);
    this.#reserve -= missing;
    this.#counter.value += missing;
  }
}
