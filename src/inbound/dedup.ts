import type { InboundOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store, StoreChange } from "../ports/store.ts";
import { decodeEnvelope } from "../protocol/envelope.ts";
import { AnswerLog, type AnswerPut } from "./answer_log.ts";
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
  readonly #ttlMs: number;
  readonly #answers: AnswerMemory;
  readonly #log: AnswerLog;
  /** By caller and request id; the list is made for the first repeat. */
  readonly #inFlight = new Map<string, Map<string, Joiner[] | undefined>>();

  constructor(clock: Clock, options: InboundOptions) {
    this.#clock = clock;
    this.#ttlMs = options.dedupTtlMs;
    this.#answers = new AnswerMemory(clock, {
      ttlMs: options.dedupTtlMs,
      maxEntries: options.dedupMaxEntries,
      maxBytes: options.dedupMaxBytes,
    });
    this.#log = new AnswerLog(this.#answers);
  }

  /** Brings back what earlier owners of the store answered; to be done before the first sight. @throws ActrError `storage`. */
  recover(store: Store): Promise<void> {
    return this.#log.load(store);
  }

  /** Answers held. */
  get size(): number {
    return this.#answers.size;
  }

  /** Looks a request up and, when it is fresh, marks it in flight. */
  sight(caller: string, requestId: string): Sighting {
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
    return fresh;
  }

  /** What makes an answer outlive this process; {@link Dedup.complete} wants to hear its number. */
  store(caller: string, requestId: string, answer: Uint8Array): AnswerPut {
    return this.#log.append(caller, requestId, answer, this.#clock.now() + this.#ttlMs);
  }

  /** What is to be forgotten in one commit with `put`, now and then. */
  outdated(put: AnswerPut | undefined): StoreChange | undefined {
    return put === undefined ? undefined : this.#log.outdated(put.answer.seq);
  }

  /**
   * The first request is done: its repeats get `answer`; without one, a repeat is handled anew. `seq` is the number of
   * an answer that was stored. Whether repeats have waited, and may hold `answer` from now on; what is remembered is a copy.
   */
  complete(
    caller: string,
    requestId: string,
    answer: Uint8Array | undefined,
    seq: number = 0,
  ): boolean {
    const requests = this.#inFlight.get(caller);
    if (requests?.has(requestId) !== true) return false;
    const joiners = requests.get(requestId);
    requests.delete(requestId);
    if (requests.size === 0) this.#inFlight.delete(caller);
    if (answer !== undefined) this.#answers.add(caller, requestId, answer, seq);
    if (joiners === undefined) return false;
    for (const joiner of joiners) joiner(answer);
    return true;
  }

  /**
   * A request that failed is to be handled anew: its failure is forgotten here, and in the store by the changes
   * returned. An answer that tells of success stays, for its effects are there.
   */
  forgetFailure(caller: string, requestId: string): StoreChange[] {
    const answer = this.#answers.get(caller, requestId);
    if (answer === undefined || decodeEnvelope(answer).error === undefined) return [];
    const seq = this.#answers.delete(caller, requestId);
    return seq === 0 ? [] : [{ kind: "answer.delete", seq }];
  }

  /** Forgets what has expired; the changes, to be committed one by one, have the store forget the same. */
  expire(): Iterable<StoreChange> {
    this.#answers.expire();
    return this.#log.deletions();
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
