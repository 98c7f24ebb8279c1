import type { Clock } from "../../ports/clock.ts";
import { TokenBucket } from "../../token_bucket.ts";

/** How much of something may happen. */
export interface Rate {
  /** At once. */
  readonly burst: number;
  readonly perSecond: number;
}

/** Buckets held at most; beyond, the one that was used longest ago is forgotten. */
const maxBuckets = 10_000;

/** A token bucket for each key, such as an address. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #rate: Rate;
  /** The latest used last. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** Counts one more of `key`; undefined when it may pass, else whole seconds after which another try may. */
  take(key: string): number | undefined {
    const now = this.#clock.monotonic();
    const bucket = this.#bucket(key, now);
    return bucket.take(now) ? undefined : Math.max(1, Math.ceil(bucket.waitMs / 1000));
  }

  #bucket(key: string, now: number): TokenBucket {
    const { burst, perSecond } = this.#rate;
    const bucket = this.#buckets.get(key) ?? new TokenBucket(burst, perSecond, now);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > maxBuckets) {
      const [oldest = key] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
