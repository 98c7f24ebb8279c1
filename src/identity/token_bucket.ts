import type { Clock } from "../ports/clock.ts";

/** Lets `burst` things through at once and one more each second. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #burst: number;
  #tokens: number;
  #countedAt: number;

  constructor(clock: Clock, burst: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#tokens = burst;
    this.#countedAt = clock.monotonic();
  }

  /** Whether one more may pass now. */
  take(): boolean {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#countedAt) / 1_000);
    this.#countedAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
