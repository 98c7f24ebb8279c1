import type { Clock } from "../ports/clock.ts";

/** Bounds of {@link AnswerMemory}. */
export interface AnswerMemoryOptions {
  /** How long an answer is remembered, milliseconds. */
  readonly ttlMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

interface Remembered {
  readonly answer: Uint8Array;
  readonly expiresAt: number;
}

/** Answers are copied into chunks of so many bytes: what they were encoded into may hold much else. */
const chunkBytes = 65_536;

/** Answers that were remembered at about the same time. */
class Generation {
  readonly startedAt: number;
  entries = 0;
  bytes = 0;
  #chunk = new Uint8Array(0);
  #used = 0;
  readonly #byCaller = new Map<string, Map<string, Remembered>>();

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  get(caller: string, requestId: string): Remembered | undefined {
    return this.#byCaller.get(caller)?.get(requestId);
  }

  add(caller: string, requestId: string, answer: Uint8Array, expiresAt: number): void {
    let answers = this.#byCaller.get(caller);
    if (answers === undefined) {
      answers = new Map();
      this.#byCaller.set(caller, answers);
    }
    answers.set(requestId, { answer: this.#copy(answer), expiresAt });
    this.entries += 1;
    this.bytes += answer.length;
  }

  #copy(answer: Uint8Array): Uint8Array {
    if (answer.length > chunkBytes / 4) return answer.slice();
    if (this.#used + answer.length > this.#chunk.length) {
      this.#chunk = new Uint8Array(chunkBytes);
      this.#used = 0;
    }
    const copy = this.#chunk.subarray(this.#used, this.#used + answer.length);
    copy.set(answer);
    this.#used += answer.length;
    return copy;
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
    this.#previous = this.#current;
  }

  /** Answers held, expired ones included until their generation goes. */
  get size(): number {
    const older = this.#previous === this.#current ? 0 : this.#previous.entries;
    return this.#current.entries + older;
  }

  get(caller: string, requestId: string): Uint8Array | undefined {
    const found = this.#current.get(caller, requestId) ?? this.#previous.get(caller, requestId);
    return found !== undefined && found.expiresAt > this.#clock.now() ? found.answer : undefined;
  }

  add(caller: string, requestId: string, answer: Uint8Array): void {
    const now = this.#clock.now();
    if (this.#isFull(now)) {
      this.#previous = this.#current;
      this.#current = new Generation(now);
    }
    this.#current.add(caller, requestId, answer, now + this.#options.ttlMs);
  }

  #isFull(now: number): boolean {
    const { ttlMs, maxEntries, maxBytes } = this.#options;
    const { startedAt, entries, bytes } = this.#current;
    return entries >= maxEntries / 2 || bytes >= maxBytes / 2 || now - startedAt >= ttlMs;
  }
}
