/** How many values were at most how large. */
export interface Distribution {
  /** Upper bounds of the buckets, ascending; a last bucket holds all that is larger. */
  readonly bounds: readonly number[];
  /** Values in each bucket, one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** Upper bounds for times, seconds. */
export const secondBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Counts values by their size; nothing is kept of a value itself. */
export class Histogram implements Distribution {
  readonly bounds: readonly number[];
  readonly counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[] = secondBounds) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#count;
  }

  observe(value: number): void {
    let bucket = 0;
    while (value > (this.bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.#sum += value;
    this.#count += 1;
  }
}
