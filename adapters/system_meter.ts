import process from "node:process";
import { getHeapStatistics } from "node:v8";
import type { Clock, Timer } from "../src/ports/clock.ts";
import type { SystemLoad, SystemMeter } from "../src/ports/system_meter.ts";

/** How often the event loop is measured, milliseconds. */
const periodMs = 500;
/** What one measurement counts in the average: one in so many, about 8 s. */
const memory = 16;

/**
 * Measures event loop and memory in the same way on Node, Deno and Bun. The runtimes' own histograms of the
 * event loop mean different things, so the lateness of a timer is taken instead.
 */
export class RunningMeter implements SystemMeter, Disposable {
  readonly #clock: Clock;
  readonly #memory: () => SystemLoad["memory"];
  #timer: Timer;
  #delayMs = 0;

  constructor(clock: Clock, memoryUse: () => SystemLoad["memory"] = memoryInUse()) {
    this.#clock = clock;
    this.#memory = memoryUse;
    this.#timer = this.#arm();
  }

  load(): SystemLoad {
    const use = this.#memory();
    return { eventLoopDelayMs: this.#delayMs, ...(use === undefined ? {} : { memory: use }) };
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    const dueMs = this.#clock.monotonic() + periodMs;
    return this.#clock.timer(this.#clock.now() + periodMs, () => {
      const lateMs = Math.max(0, this.#clock.monotonic() - dueMs);
      this.#delayMs += (lateMs - this.#delayMs) / memory;
      this.#timer = this.#arm();
    });
  }
}

/** How memory is read here: the heap where it has a limit of its own, else all of the process within its machine or container. */
function memoryInUse(): () => SystemLoad["memory"] {
  // Bun's statistics of the heap cost a millisecond, and their limit is none.
  if ("Bun" in globalThis) {
    const limitBytes = process.constrainedMemory();
    return () => ({ usedBytes: process.memoryUsage().rss, limitBytes });
  }
  const limitBytes = getHeapStatistics().heap_size_limit;
  return () => ({ usedBytes: process.memoryUsage().heapUsed, limitBytes });
}
