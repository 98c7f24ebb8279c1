import type { Clock, Timer } from "../../ports/clock.ts";

/** What has to end in time. */
export interface Expiring {
  /** Milliseconds of the clock's monotonic time. */
  readonly expiresAt: number;
}

/** Watches over many deadlines with one timer, which mostly finds that all have ended: entries of a guest take microseconds. */
export class Deadlines<E extends Expiring> {
  readonly #clock: Clock;
  readonly #running: () => Iterable<E>;
  readonly #late: (entry: E) => void;
  #timer: Timer | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  /** @param running those that have not ended, the longest running first. @param late is told the first whose time is up. */
  constructor(clock: Clock, running: () => Iterable<E>, late: (entry: E) => void) {
    this.#clock = clock;
    this.#running = running;
    this.#late = late;
  }

  /** Watches over a further one, which is among the running. */
  watch({ expiresAt }: Expiring): void {
    if (expiresAt < this.#firesAt) this.#arm(expiresAt);
  }

  /** Watches over nothing more. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#firesAt = at;
    const { now, leftMs } = { now: this.#clock.now(), leftMs: at - this.#clock.monotonic() };
    this.#timer = this.#clock.timer(now + leftMs, () => this.#look());
  }

  /** Wall time, which timers go by, may have jumped, so what is due is asked of the other. */
  #look(): void {
    this.clear();
    const now = this.#clock.monotonic();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#running()) {
      if (entry.expiresAt <= now) return this.#late(entry);
      next = Math.min(next, entry.expiresAt);
    }
    if (next < Number.POSITIVE_INFINITY) this.#arm(next);
  }
}
