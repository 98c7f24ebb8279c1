import type { Clock, Timer } from "../ports/clock.ts";

/** Width of a bucket, milliseconds: how late a deadline may be noticed. */
const bucketMs = 8;

/** Something that can be late. */
export interface Expiring {
  /** Called once, when its deadline has passed. */
  expire(): void;
}

/**
 * Very many deadlines on one timer. Adding and removing cost a set operation, so that a call
 * that is answered in time never touches the clock's timers.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Set<Expiring>>();
  #timer: Timer | undefined;
  /** Bucket that the timer is set for. */
  #armed = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches `item` until `atMs` of the clock's monotonic time; returns what {@link Deadlines.remove} needs. */
  add(item: Expiring, atMs: number): number {
    const bucket = Math.ceil(atMs / bucketMs);
    let items = this.#buckets.get(bucket);
    if (items === undefined) {
      items = new Set();
      this.#buckets.set(bucket, items);
    }
    items.add(item);
    if (bucket < this.#armed) this.#arm(bucket);
    return bucket;
  }

  remove(item: Expiring, bucket: number): void {
    const items = this.#buckets.get(bucket);
    if (items === undefined) return;
    items.delete(item);
    // A set that has outgrown its tables holds on to what it held, so an empty one goes; the timer stays as it is, so
    // that steady traffic does not set one per call.
    if (items.size === 0) this.#buckets.delete(bucket);
  }

  /** Forgets everything without expiring it. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armed = Number.POSITIVE_INFINITY;
    this.#buckets.clear();
  }

  #arm(bucket: number): void {
    this.#timer?.cancel();
    this.#armed = bucket;
    const inMs = bucket * bucketMs - this.#clock.monotonic();
    this.#timer = this.#clock.timer(this.#clock.now() + inMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#timer = undefined;
    this.#armed = Number.POSITIVE_INFINITY;
    const due = Math.floor(this.#clock.monotonic() / bucketMs);
    let next = Number.POSITIVE_INFINITY;
    const late: Expiring[] = [];
    for (const [bucket, items] of this.#buckets) {
      if (bucket <= due) {
        this.#buckets.delete(bucket);
        for (const item of items) late.push(item);
      } else if (items.size > 0 && bucket < next) {
        next = bucket;
      }
    }
    if (next < this.#armed) this.#arm(next);
    for (const item of late) item.expire();
  }
}
