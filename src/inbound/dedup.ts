import type { InboundOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store, StoredAnswer } from "../ports/store.ts";
import { decodeEnvelope } from "../protocol/envelope.ts";
import { AnswerMemory } from "./answer_memory.ts";

/** Told the outcome of the request that it repeats: the encoded answer, or none when there is nothing to repeat. */
export type Joiner = (answer: Uint8Array | undefined) => void;

/** What is known of a request. */
export type Sighting =
  /** Not seen before; it is in flight from now on and must be completed. */
  | { readonly kind: "fresh" }
  /** The first one is still being handled; `join` to hear its outcome, which is false when too many wait for it. */
  | { readonly kind: "in_flight"; readonly join: (joiner: Joiner) => boolean }
  /** Handled: this was the answer. */
  | { readonly kind: "answered"; readonly answer: Uint8Array };

/** Repeats of one request that wait at once. */
const maxJoiners = 8;

const fresh: Sighting = { kind: "fresh" };

/**
 * One effect per (caller, request id): knows what is in flight and what was answered, for a time
 * that begins when the answer is complete (`spec/node.md` §6, D-13 to D-16).
 */
export class Dedup {
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #ttlMs: number;
  readonly #answers: AnswerMemory;
  /** By caller and request id; the list is made for the first repeat. */
  readonly #inFlight = new Map<string, Map<string, Joiner[] | undefined>>();
  /** Until then, answers of an earlier process may be in the store alone. */
  readonly #storeKnowsMoreUntil: number;

  constructor(
    components: { readonly clock: Clock; readonly store: Store },
    options: InboundOptions,
  ) {
    this.#clock = components.clock;
    this.#store = components.store;
    this.#ttlMs = options.dedupTtlMs;
    this.#answers = new AnswerMemory(components.clock, {
      ttlMs: options.dedupTtlMs,
      maxEntries: options.dedupMaxEntries,
      maxBytes: options.dedupMaxBytes,
    });
    const hadOwnerBefore = this.#store.opened.fence > 1;
    this.#storeKnowsMoreUntil = hadOwnerBefore ? this.#clock.now() + this.#ttlMs : 0;
  }

  /** Answers held. */
  get size(): number {
    return this.#answers.size;
  }

  /** Looks a request up and, when it is fresh, marks it in flight. A promise only while the store may know more. */
  sight(caller: string, requestId: string): Sighting | Promise<Sighting> {
    const answer = this.#answers.get(caller, requestId);
    if (answer !== undefined) return { kind: "answered", answer };
    let requests = this.#inFlight.get(caller);
    if (requests?.has(requestId) === true) {
      return { kind: "in_flight", join: (joiner) => this.#join(caller, requestId, joiner) };
    }
    if (requests === undefined) {
      requests = new Map();
      this.#inFlight.set(caller, requests);
    }
    requests.set(requestId, undefined);
    if (this.#clock.now() < this.#storeKnowsMoreUntil) return this.#recall(caller, requestId);
    return fresh;
  }

  /** The first request is done: its repeats get `answer`; without one, a repeat is handled anew. */
  complete(caller: string, requestId: string, answer: Uint8Array | undefined): void {
    const requests = this.#inFlight.get(caller);
    if (requests?.has(requestId) !== true) return;
    const joiners = requests.get(requestId);
    requests.delete(requestId);
    if (requests.size === 0) this.#inFlight.delete(caller);
    if (answer !== undefined) this.#answers.add(caller, requestId, answer);
    if (joiners !== undefined) for (const joiner of joiners) joiner(answer);
  }

  /** A request that failed is to be handled anew: its failure is forgotten. An answer that tells of success stays, for its effects are there. */
  forgetFailure(caller: string, requestId: string): void {
    const answer = this.#answers.get(caller, requestId);
    if (answer === undefined || decodeEnvelope(answer).error === undefined) return;
    this.#answers.delete(caller, requestId);
  }

  /** The answer as the store keeps it. */
  stored(caller: string, requestId: string, response: Uint8Array): StoredAnswer {
    return { caller, requestId, response, expiresAt: this.#clock.now() + this.#ttlMs };
  }

  async #recall(caller: string, requestId: string): Promise<Sighting> {
    try {
      const stored = await this.#store.answer(caller, requestId);
      if (stored === undefined || stored.expiresAt <= this.#clock.now()) return fresh;
      this.complete(caller, requestId, stored.response);
      return { kind: "answered", answer: stored.response };
    } catch (error) {
      this.complete(caller, requestId, undefined);
      throw error;
    }
  }

  #join(caller: string, requestId: string, joiner: Joiner): boolean {
    const requests = this.#inFlight.get(caller);
    const joiners = requests?.get(requestId) ?? [];
    if (joiners.length >= maxJoiners) return false;
    joiners.push(joiner);
    requests?.set(requestId, joiners);
    return true;
  }
}
