import type { Clock } from "../../ports/clock.ts";

const windowMs = 60_000;
/** New instances in a minute that are made without a pause: a guest that fails once or twice serves on at once. */
const withoutPause = 2;
const longestPauseMs = 5000;

/** Holds back a guest that fails again and again: longer pauses first, then none in this minute (`spec/guest.md` §21 GD-14). */
export class Rebuilds {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #pauseMs: number;
  /** When those of the last minute were tried, monotonic milliseconds. */
  #begun: number[] = [];
  #total = 0;

  constructor(clock: Clock, most: number, pauseMs: number) {
    this.#clock = clock;
    this.#most = most;
    this.#pauseMs = pauseMs;
  }

  /** All that ever were. */
  get total(): number {
    return this.#total;
  }

  /** How long none may begin, because there were too many within a minute; undefined when one may. */
  refusedForMs(): number | undefined {
    const now = this.#clock.monotonic();
    this.#begun = this.#begun.filter((at) => now - at < windowMs);
    const [oldest] = this.#begun;
    return oldest !== undefined && this.#begun.length >= this.#most
      ? oldest + windowMs - now
      : undefined;
  }

  /** How long to wait before the next. */
  get pauseMs(): number {
    const doublings = this.#begun.length - withoutPause;
    return doublings < 0 ? 0 : Math.min(this.#pauseMs * 2 ** doublings, longestPauseMs);
  }

  /** Counts one that was tried. */
  count(): void {
    this.#begun.push(this.#clock.monotonic());
    this.#total += 1;
  }
}
