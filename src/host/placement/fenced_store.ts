import type {
  Committed,
  DeadLetter,
  DeadLetterQuery,
  DeadLetterStats,
  MailboxCounts,
  MailboxRow,
  RecordEntry,
  RecordExpectation,
  Store,
  StoreChange,
  StoredAnswer,
  StoreOpened,
  StoreWrites,
} from "../../ports/store.ts";

/** A store whose every commit says what has to hold, or it is none. The store beneath stays its owner's. */
export class FencedStore implements Store {
  readonly #store: Store;
  readonly #fence: RecordExpectation;

  constructor(store: Store, fence: RecordExpectation) {
    this.#store = store;
    this.#fence = fence;
  }

  get name(): string {
    return this.#store.name;
  }

  get durable(): boolean {
    return this.#store.durable;
  }

  get opened(): StoreOpened {
    return this.#store.opened;
  }

  get fault(): string | undefined {
    return this.#store.fault;
  }

  get writes(): StoreWrites {
    return this.#store.writes as StoreWrites;
  }

  get lost(): Promise<string> {
    return this.#store.lost;
  }

  commit(changes: readonly StoreChange[]): Promise<void> {
    return this.#store.commit([this.#fence, ...changes]);
  }

  submit(changes: readonly StoreChange[], committed: Committed, line?: object): void {
    this.#store.submit([this.#fence, ...changes], committed, line);
  }

  mailboxRows(...query: Parameters<Store["mailboxRows"]>): Promise<MailboxRow[]> {
    return this.#store.mailboxRows(...query);
  }

  mailboxCounts(): Promise<MailboxCounts> {
    return this.#store.mailboxCounts();
  }

  answers(afterSeq: number, limit: number): Promise<StoredAnswer[]> {
    return this.#store.answers(afterSeq, limit);
  }

  deadLetter(id: string): Promise<DeadLetter | undefined> {
    return this.#store.deadLetter(id);
  }

  deadLetters(limit: number, query?: DeadLetterQuery): Promise<DeadLetter[]> {
    return this.#store.deadLetters(limit, query);
  }

  deadLetterStats(): Promise<DeadLetterStats> {
    return this.#store.deadLetterStats();
  }

  record(space: string, key: string): Promise<Uint8Array | undefined> {
    return this.#store.record(space, key);
  }

  records(space: string, afterKey: string, limit: number): Promise<RecordEntry[]> {
    return this.#store.records(space, afterKey, limit);
  }

  nextSpace(space: string): Promise<string | undefined> {
    return this.#store.nextSpace(space);
  }

  onFault(listener: (fault: string | undefined) => void): () => void {
    return this.#store.onFault(listener);
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
