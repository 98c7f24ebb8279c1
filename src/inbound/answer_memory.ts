import type { Clock } from "../ports/clock.ts";
import { AnswerIndex, hashOfId } from "./answer_index.ts";

/** Bounds of {@link AnswerMemory}. */
export interface AnswerMemoryOptions {
  /** How long an answer is remembered, milliseconds. */
  readonly ttlMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** Answers are copied into chunks of so many bytes: what they were encoded into may hold much else. */
const chunkBytes = 65_536;

/** What is remembered of a message that nobody waited for. */
const nothing = new Uint8Array(0);

/** Expiry of an answer that was deleted. */
const forgotten = 0;

/** Answers that were remembered at about the same time; numbers instead of objects, so that a hundred thousand cost no garbage collection. */
class Generation {
  readonly startedAt: number;
  bytes = 0;
  /** Greatest number added; 0 when none is stored. */
  lastSeq = 0;
  /** By caller and request id: the index into the lists below. */
  readonly #indexes = new AnswerIndex();
  /** Where each answer begins, counted over all chunks. */
  readonly #places: number[] = [];
  readonly #lengths: number[] = [];
  readonly #expiries: number[] = [];
  readonly #seqs: number[] = [];
  readonly #chunks: Uint8Array[] = [];
  /** Chunks of an earlier generation, to be used again. */
  readonly #free: Uint8Array[];
  #end = 0;

  constructor(startedAt: number, free: Uint8Array[] = []) {
    this.startedAt = startedAt;
    this.#free = free;
  }

  /** Its chunks, once nothing is read from it any more. */
  get chunks(): Uint8Array[] {
    return this.#chunks;
  }

  get entries(): number {
    return this.#places.length;
  }

  /** The answer, unless it has expired; `idHash` is that of the request id. */
  get(caller: string, requestId: string, idHash: number, clock: Clock): Uint8Array | undefined {
    const index = this.#indexes.get(caller, requestId, idHash);
    if (index === undefined || (this.#expiries[index] ?? 0) <= clock.now()) return undefined;
    return this.#read(this.#places[index] ?? 0, this.#lengths[index] ?? 0);
  }

  add(caller: string, requestId: string, answer: Uint8Array, seq: number, expiresAt: number): void {
    this.#indexes.set(caller, requestId, hashOfId(requestId), this.#places.length);
    this.#places.push(this.#keep(answer));
    this.#lengths.push(answer.length);
    this.#expiries.push(expiresAt);
    this.#seqs.push(seq);
    this.bytes += answer.length;
    if (seq > this.lastSeq) this.lastSeq = seq;
  }

  /** Returns the number of what is gone: 0 when it was not stored, or not here. */
  delete(caller: string, requestId: string): number {
    const index = this.#indexes.get(caller, requestId, hashOfId(requestId));
    if (index === undefined || this.#expiries[index] === forgotten) return 0;
    this.#expiries[index] = forgotten;
    return this.#seqs[index] ?? 0;
  }

  /** Copies an answer behind the last one, over as many chunks as it takes. */
  #keep(answer: Uint8Array): number {
    const start = this.#end;
    for (let at = 0; at < answer.length; ) {
      const place = this.#end % chunkBytes;
      if (place === 0) this.#chunks.push(this.#free.pop() ?? new Uint8Array(chunkBytes));
      const length = Math.min(answer.length - at, chunkBytes - place);
      const piece = length === answer.length ? answer : answer.subarray(at, at + length);
      this.#chunks.at(-1)?.set(piece, place);
      at += length;
      this.#end += length;
    }
    return start;
  }

  /** A copy: its chunks are used again, while it may still wait to be sent. */
  #read(start: number, length: number): Uint8Array {
    if (length === 0) return nothing;
    const answer = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const place = (start + at) % chunkBytes;
      const chunk = this.#chunks[(start + at - place) / chunkBytes];
      const piece = chunk?.subarray(place, place + length - at) ?? nothing;
      answer.set(piece, at);
      at += piece.length;
    }
    return answer;
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
  #forgottenSeq = 0;

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

  /** Answers up to this number are not held any more; they are added in the order of their numbers. */
  get forgottenSeq(): number {
    return this.#forgottenSeq;
  }

  get(caller: string, requestId: string): Uint8Array | undefined {
    const idHash = hashOfId(requestId);
    return (
      this.#current.get(caller, requestId, idHash, this.#clock) ??
      this.#previous.get(caller, requestId, idHash, this.#clock)
    );
  }

  /** Adds an answer; `seq` is its number in the store, 0 when it is not there. */
  add(
    caller: string,
    requestId: string,
    answer: Uint8Array,
    seq: number = 0,
    expiresAt?: number,
  ): void {
    const { maxEntries, maxBytes, ttlMs } = this.#options;
    const { entries, bytes } = this.#current;
    const now = this.#clock.now();
    if (entries >= maxEntries / 2 || bytes >= maxBytes / 2) this.#rotate();
    else this.expire(now);
    this.#current.add(caller, requestId, answer, seq, expiresAt ?? now + ttlMs);
  }

  /** Forgets an answer; its bytes go with its generation. Returns its number in the store, 0 when it is not there. */
  delete(caller: string, requestId: string): number {
    return this.#current.delete(caller, requestId) || this.#previous.delete(caller, requestId);
  }

  /** Drops a generation whose answers have all expired. */
  expire(now: number = this.#clock.now()): void {
    if (now - this.#current.startedAt >= this.#options.ttlMs) this.#rotate();
  }

  #rotate(): void {
    this.#forgottenSeq = Math.max(this.#forgottenSeq, this.#previous.lastSeq);
    // A large answer in memory of its own would grow old, and every tenth MB of such has the garbage collector mark everything.
    const free = this.#previous.chunks;
    this.#previous = this.#current;
    this.#current = new Generation(this.#clock.now(), free);
  }
}
