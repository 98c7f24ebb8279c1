import { abortable } from "#async";
import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { importVerifyKey } from "../protocol/signing_key.ts";
import { withinLimit } from "../time_limit.ts";
import { TokenBucket } from "../token_bucket.ts";

/** One public key of the identity service. */
export interface IssuerKey {
  /** u32. */
  readonly id: number;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** Asks for the public key of an id. @throws ActrError `not_found` when there is none. */
export type FetchKey = (
  keyId: number,
  options: { readonly signal: AbortSignal },
) => Promise<Uint8Array<ArrayBuffer>>;

/** Bounds of a {@link KeyCache}. */
export interface KeyCacheOptions {
  /** Keys kept; the one unused for longest goes first. @default 64 */
  readonly maxKeys?: number;
  /** Ids remembered as unknown. @default 256 */
  readonly maxUnknown?: number;
  /** How long an id counts as unknown, milliseconds. @default 30000 */
  readonly unknownMs?: number;
  /** Limit of one fetch, milliseconds. @default 5000 */
  readonly fetchLimitMs?: number;
  /** Fetches that may start at once; after that one each second. @default 8 */
  readonly fetchBurst?: number;
}

interface Components {
  readonly clock: Clock;
  readonly fetchKey: FetchKey;
}

/** Signing keys by id, filled on demand. Ids come from strangers: misses share one fetch, are remembered, and are limited in number. */
export class KeyCache {
  readonly #clock: Clock;
  readonly #fetchKey: FetchKey;
  readonly #options: Required<KeyCacheOptions>;
  /** By time of last use. */
  readonly #keys = new Map<number, CryptoKey>();
  /** Until when an id counts as unknown, monotonic milliseconds; in order of arrival. */
  readonly #unknown = new Map<number, number>();
  readonly #fetching = new Map<number, Promise<CryptoKey>>();
  readonly #closed = new AbortController();
  readonly #fetches: TokenBucket;

  constructor({ clock, fetchKey }: Components, options: KeyCacheOptions = {}) {
    this.#clock = clock;
    this.#fetchKey = fetchKey;
    this.#options = {
      maxKeys: options.maxKeys ?? 64,
      maxUnknown: options.maxUnknown ?? 256,
      unknownMs: options.unknownMs ?? 30_000,
      fetchLimitMs: options.fetchLimitMs ?? 5_000,
      fetchBurst: options.fetchBurst ?? 8,
    };
    this.#fetches = new TokenBucket(this.#options.fetchBurst, 1, clock.monotonic());
  }

  /** Adds a key that is known from elsewhere, such as the answer to a registration. @throws ActrError `invalid_argument` when it is none. */
  async seed({ id, publicKey }: IssuerKey): Promise<void> {
    const key = await importVerifyKey(publicKey);
    this.#keep(id, key);
  }

  /**
   * The public key of `keyId`, ready to verify with.
   * @throws ActrError `not_found` for an unknown id, `overloaded` when too many were asked for, `timed_out`, `unavailable`.
   */
  async get(keyId: number, { signal }: { readonly signal: AbortSignal }): Promise<CryptoKey> {
    const known = this.#keys.get(keyId);
    if (known !== undefined) {
      this.#keep(keyId, known);
      return known;
    }
    // The fetch is shared: one caller's end must not be the others'.
    return await abortable(this.#fetching.get(keyId) ?? this.#start(keyId), signal);
  }

  /** Ends fetches under way. */
  close(): void {
    this.#closed.abort(new ActrError("stopping", "the key cache is closed"));
  }

  #keep(keyId: number, key: CryptoKey): void {
    this.#unknown.delete(keyId);
    this.#keys.delete(keyId);
    this.#keys.set(keyId, key);
    dropOldest(this.#keys, this.#options.maxKeys);
  }

  #start(keyId: number): Promise<CryptoKey> {
    this.#refuseUnknown(keyId);
    if (!this.#fetches.take(this.#clock.monotonic())) {
      throw new ActrError("overloaded", `signing key ${keyId} is not fetched: too many at once`, {
        retryAfterMs: 1_000,
      });
    }
    const fetching = this.#fetch(keyId).finally(() => this.#fetching.delete(keyId));
    fetching.catch(() => {}); // Every waiter may have left; they hear of it through their own wait.
    this.#fetching.set(keyId, fetching);
    return fetching;
  }

  async #fetch(keyId: number): Promise<CryptoKey> {
    try {
      const publicKey = await withinLimit(
        this.#clock,
        {
          what: `fetch of signing key ${keyId}`,
          ms: this.#options.fetchLimitMs,
          signal: this.#closed.signal,
        },
        (signal) => this.#fetchKey(keyId, { signal }),
      );
      const key = await importVerifyKey(publicKey);
      this.#keep(keyId, key);
      return key;
    } catch (error) {
      if (ActrError.is(error) && error.code === "not_found") this.#remember(keyId);
      throw error;
    }
  }

  #remember(keyId: number): void {
    this.#unknown.set(keyId, this.#clock.monotonic() + this.#options.unknownMs);
    dropOldest(this.#unknown, this.#options.maxUnknown);
  }

  #refuseUnknown(keyId: number): void {
    const until = this.#unknown.get(keyId);
    if (until === undefined) return;
    if (this.#clock.monotonic() < until) {
      throw new ActrError("not_found", `signing key ${keyId} is unknown`);
    }
    this.#unknown.delete(keyId);
  }
}

function dropOldest(map: Map<number, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
