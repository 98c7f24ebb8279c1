import type { Clock } from "../ports/clock.ts";
import { largestPooled } from "../protocol/pool.ts";

/** Bounds of {@link AnswerMemory}. */
export interface AnswerMemoryOptions {
  /** How long an answer is remembered, milliseconds. */
  readonly ttlMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** Answers are copied into chunks of so many bytes: what they were encoded into may hold much else. */
const chunkBytes = 65_536;

/** Answers that were remembered at about the same time; numbers instead of objects, so that a hundred thousand cost no garbage collection. */
class Generation {
  readonly startedAt: number;
  bytes = 0;
  /** By caller and request id: the index into the lists below. */
  readonly #indexes = new Map<string, Map<string, number>>();
  /** Copied answers: chunk number times the chunk size, plus the place in it. Others: minus one minus the place in `#large`. */
  readonly #places: number[] = [];
  readonly #lengths: number[] = [];
  readonly #expiries: number[] = [];
  readonly #chunks: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];
  #used = chunkBytes;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  get entries(): number {
    return this.#places.length;
  }

  /** The answer, unless it expired before `now`. */
  get(caller: string, requestId: string, now: number): Uint8Array | undefined {
    const index = this.#indexes.get(caller)?.get(requestId);
    if (index === undefined || (this.#expiries[index] ?? 0) <= now) return undefined;
    const place = this.#places[index] ?? 0;
    if (place < 0) return this.#large[-1 - place];
    const start = place % chunkBytes;
    const chunk = this.#chunks[(place - start) / chunkBytes];
    return chunk?.subarray(start, start + (this.#lengths[index] ?? 0));
  }

  add(caller: string, requestId: string, answer: Uint8Array, expiresAt: number): void {
    let indexes = this.#indexes.get(caller);
    if (indexes === undefined) {
      indexes = new Map();
      this.#indexes.set(caller, indexes);
    }
    indexes.set(requestId, this.#places.length);
    this.#places.push(this.#keep(answer));
    this.#lengths.push(answer.length);
    this.#expiries.push(expiresAt);
    this.bytes += answer.length;
  }

  delete(caller: string, requestId: string): void {
    this.#indexes.get(caller)?.delete(requestId);
  }

  #keep(answer: Uint8Array): number {
    // A longer one has a buffer of its own.
    if (answer.length > largestPooled) return -this.#large.push(answer);
    if (this.#used + answer.length > chunkBytes) {
      this.#chunks.push(new Uint8Array(chunkBytes));
      this.#used = 0;
    }
    const start = this.#used;
    this.#chunks.at(-1)?.set(answer, start);
    this.#used += answer.length;
    return (this.#chunks.length - 1) * chunkBytes + start;
  }
}

/**
 * Remembers answers by (caller, request id) for a time and within caps. Two generations take turns:
 * forgetting drops one as a whole, so that no answer costs a search for the oldest. Over a cap the
 * older half goes first.
 */
export class AnswerMemory {
  readonly #clock: Clock;
  readonly #options: AnswerMemoryOptions;
  #current: Generation;
  #previous: Generation;

  constructor(clock: Clock, options: AnswerMemoryOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#current = new Generation(clock.now());
    this.#previous = new Generation(clock.now());
  }

  /** Answers held, expired ones included until their generation goes. */
  get size(): number {
    return this.#current.entries + this.#previous.entries;
  }

  get(caller: string, requestId: string): Uint8Array | undefined {
    const now = this.#clock.now();
    return this.#current.get(caller, requestId, now) ?? this.#previous.get(caller, requestId, now);
  }

  add(caller: string, requestId: string, answer: Uint8Array): void {
    const now = this.#clock.now();
    if (this.#isFull(now)) {
      this.#previous = this.#current;
      this.#current = new Generation(now);
    }
    this.#current.add(caller, requestId, answer, now + this.#options.ttlMs);
  }

  /** Forgets an answer; its bytes go with its generation. */
  delete(caller: string, requestId: string): void {
    this.#current.delete(caller, requestId);
    this.#previous.delete(caller, requestId);
  }

  #isFull(now: number): boolean {
    const { ttlMs, maxEntries, maxBytes } = this.#options;
    const { startedAt, entries, bytes } = this.#current;
    return entries >= maxEntries / 2 || bytes >= maxBytes / 2 || now - startedAt >= ttlMs;
  }
}
