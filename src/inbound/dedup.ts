import type { InboundOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store, StoredAnswer } from "../ports/store.ts";

/** Told the outcome of the request that it repeats: the encoded answer, or none when there is nothing to repeat. */
export type Joiner = (answer: Uint8Array | undefined) => void;

/** What is known of a request. */
export type Sighting =
  /** Not seen before; it is in flight from now on and must be completed. */
  | { readonly kind: "fresh" }
  /** The first one is still being handled; `join` to hear its outcome. */
  | { readonly kind: "in_flight"; readonly join: (joiner: Joiner) => void }
  /** Handled: this was the answer. */
  | { readonly kind: "answered"; readonly answer: Uint8Array };

interface Entry {
  joiners: Joiner[] | undefined;
  answer: Uint8Array | undefined;
  expiresAt: number;
}

/** Repeats of one request that wait at once; more are left to their own deadline. */
const maxJoiners = 8;

/**
 * One effect per (caller, request id): remembers what is in flight and what was answered, for a
 * time that begins when the answer is complete (`spec/node.md` §6, D-13 to D-16).
 */
export class Dedup {
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #options: InboundOptions;
  /** In order of completion: what is in flight was moved to the end when it completed. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  /** Until then, answers of an earlier process may still be in the store alone. */
  readonly #storeHoldsMoreUntil: number;

  constructor(components: { clock: Clock; store: Store }, options: InboundOptions) {
    this.#clock = components.clock;
    this.#store = components.store;
    this.#options = options;
    this.#storeHoldsMoreUntil = components.store.durable
      ? components.clock.now() + options.dedupTtlMs
      : 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Looks a request up and, when it is fresh, marks it in flight. A promise only while the store may know more. */
  sight(caller: string, requestId: string): Sighting | Promise<Sighting> {
    const key = entryKey(caller, requestId);
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      if (entry.answer === undefined)
        return { kind: "in_flight", join: (joiner) => join(entry, joiner) };
      if (entry.expiresAt > this.#clock.now()) return { kind: "answered", answer: entry.answer };
      this.#forget(key, entry);
    }
    const fresh: Entry = { joiners: undefined, answer: undefined, expiresAt: 0 };
    this.#entries.set(key, fresh);
    if (this.#clock.now() < this.#storeHoldsMoreUntil) return this.#recall(key, caller, requestId);
    return { kind: "fresh" };
  }

  /** The first request is done: its repeats get `answer`; without one, a repeat is handled anew. */
  complete(caller: string, requestId: string, answer: Uint8Array | undefined): void {
    const key = entryKey(caller, requestId);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const joiners = entry.joiners;
    entry.joiners = undefined;
    if (answer !== undefined) {
      entry.answer = answer;
      entry.expiresAt = this.#clock.now() + this.#options.dedupTtlMs;
      this.#entries.set(key, entry);
      this.#bytes += answer.length;
      this.#evict();
    }
    if (joiners !== undefined) for (const joiner of joiners) joiner(answer);
  }

  /** The answer as the store keeps it. */
  stored(caller: string, requestId: string, response: Uint8Array): StoredAnswer {
    return { caller, requestId, response, expiresAt: this.#clock.now() + this.#options.dedupTtlMs };
  }

  async #recall(key: string, caller: string, requestId: string): Promise<Sighting> {
    try {
      const stored = await this.#store.answer(caller, requestId);
      if (stored === undefined || stored.expiresAt <= this.#clock.now()) return { kind: "fresh" };
      this.complete(caller, requestId, stored.response);
      return { kind: "answered", answer: stored.response };
    } catch (error) {
      this.#entries.delete(key);
      throw error;
    }
  }

  #forget(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.answer?.length ?? 0;
  }

  /** Drops expired answers, and the oldest ones over the caps. Never what is in flight. */
  #evict(): void {
    const { dedupMaxEntries, dedupMaxBytes } = this.#options;
    const now = this.#clock.now();
    for (const [key, entry] of this.#entries) {
      if (entry.answer === undefined) continue;
      const over = this.#entries.size > dedupMaxEntries || this.#bytes > dedupMaxBytes;
      if (!over && entry.expiresAt > now) return;
      this.#forget(key, entry);
    }
  }
}

function entryKey(caller: string, requestId: string): string {
  return `${caller} ${requestId}`;
}

function join(entry: Entry, joiner: Joiner): void {
  entry.joiners ??= [];
  if (entry.joiners.length < maxJoiners) entry.joiners.push(joiner);
}
