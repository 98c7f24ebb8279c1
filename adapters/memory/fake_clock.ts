import type { Clock, SleepOptions, Timer } from "../../src/ports/clock.ts";

/** Turns of the real event loop that {@link FakeClock.settle} gives to code that awaits. */
const settleTurns = 4;

interface Entry extends Timer {
  readonly atMs: number;
  readonly fn: () => void;
}

/**
 * Time that stands still until a test advances it. Only time is fake: `defer` runs on the next real turn of the
 * event loop, first in, first out, so code that writes once per turn works without an `advance`. Timers that are
 * due when they are set run on the next turn too, as the port says.
 */
export class FakeClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;
  /** Ascending by time, then by order of creation. */
  readonly #timers: Entry[] = [];
  #deferred = 0;

  /** @param startMs first value of {@link now}, Unix milliseconds. */
  constructor(startMs = 1_700_000_000_000) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  /** Timers and sleeps that have not run: what a leak test counts. */
  get pending(): number {
    return this.#timers.length;
  }

  /** When the next timer is due, Unix milliseconds. */
  get nextAt(): number | undefined {
    return this.#timers[0]?.atMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  sleep(ms: number, { signal }: SleepOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const timer = this.timer(this.#nowMs + ms, () => {
        signal.removeEventListener("abort", abort);
        resolve();
      });
      const abort = (): void => {
        timer.cancel();
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  timer(dueMs: number, fn: () => void): Timer {
    // Whole milliseconds, as the system's wall time has them: what is due within one fires at its end.
    const atMs = Math.ceil(dueMs);
    const entry: Entry = { atMs, fn, cancel: () => this.#remove(entry) };
    this.#timers.splice(this.#placeAfter(atMs), 0, entry);
    if (atMs <= this.#nowMs) this.defer(() => this.#remove(entry) && fn());
    return entry;
  }

  defer(fn: () => void): void {
    this.#deferred++;
    setImmediate(() => {
      this.#deferred--;
      fn();
    });
  }

  /** Moves time by `ms`, firing what falls due in order and letting awaiting code run between any two firings. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    await this.settle();
    while (this.#fireNext(targetMs)) await this.settle();
    this.#nowMs = Math.max(this.#nowMs, targetMs);
  }

  /** As {@link advance}, for long times: awaiting code runs between any two instants at which something falls due. */
  async pass(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    await this.settle();
    while (this.#fireNext(targetMs)) {
      while (this.#fireNext(this.#nowMs));
      await this.settle();
    }
    this.#nowMs = Math.max(this.#nowMs, targetMs);
  }

  /** Lets promises, deferred work and what they start run until nothing is deferred. Does not wait for real input or output. */
  async settle(): Promise<void> {
    do {
      for (let turn = 0; turn < settleTurns; turn++) await nextTurn();
    } while (this.#deferred > 0);
  }

  /** Fires the first timer that is due by `untilMs`, at its time; false when there is none. */
  #fireNext(untilMs: number): boolean {
    const due = this.#timers[0];
    if (due === undefined || due.atMs > untilMs) return false;
    this.#nowMs = Math.max(this.#nowMs, due.atMs);
    this.#timers.shift();
    due.fn();
    return true;
  }

  #remove(entry: Entry): boolean {
    const index = this.#timers.indexOf(entry);
    if (index >= 0) this.#timers.splice(index, 1);
    return index >= 0;
  }

  #placeAfter(atMs: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
