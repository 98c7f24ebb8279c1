import { quantile } from "./statistics.ts";

/** One closed loop: so many calls under way at any time, for so long. */
export interface LoadPlan {
  readonly inFlight: number;
  readonly bytes: number;
  readonly ms: number;
}

/** What a loop came to. */
export interface LoadResult {
  readonly calls: number;
  readonly perSecond: number;
  /** Microseconds. */
  readonly p50: number;
  /** Microseconds. */
  readonly p99: number;
}

/** Times calls of one loop. */
export class LoadMeter {
  readonly #began = performance.now();
  readonly #until: number;
  #latencies = new Float64Array(65_536);
  #calls = 0;

  constructor(ms: number) {
    this.#until = this.#began + ms;
  }

  /** Counts a call that began at `began` and ended `now`; false when the time is up. */
  add(began: number, now: number): boolean {
    if (this.#calls === this.#latencies.length) this.#grow();
    this.#latencies[this.#calls++] = now - began;
    return now < this.#until;
  }

  /** `seconds`: how long it took in all. @default until now */
  result(seconds: number = (performance.now() - this.#began) / 1000): LoadResult {
    const sorted = this.#latencies.slice(0, this.#calls).sort();
    return {
      calls: this.#calls,
      perSecond: this.#calls / seconds,
      p50: quantile(sorted, 0.5) * 1000,
      p99: quantile(sorted, 0.99) * 1000,
    };
  }

  #grow(): void {
    const longer = new Float64Array(this.#latencies.length * 2);
    longer.set(this.#latencies);
    this.#latencies = longer;
  }
}

/** Keeps `inFlight` calls under way for `ms`; then waits for `settled`, whose time counts. */
export async function closedLoop(
  call: () => Promise<unknown>,
  { inFlight, ms }: LoadPlan,
  settled: () => Promise<void> = async () => {},
): Promise<LoadResult> {
  const meter = new LoadMeter(ms);
  const caller = async (): Promise<void> => {
    for (let began = performance.now(), more = true; more; ) {
      await call();
      const now = performance.now();
      more = meter.add(began, now);
      began = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  await settled();
  return meter.result();
}
