import { ActrError } from "../../src/errors.ts";
import type {
  Committed,
  DeadLetter,
  DeadLetterQuery,
  DeadLetterStats,
  MailboxCounts,
  MailboxRow,
  Priority,
  RecordEntry,
  Store,
  StoreChange,
  StoredAnswer,
  StoreOpened,
} from "../../src/ports/store.ts";
import { apply, type Contents, emptyContents, holds, unclaim } from "./memory_contents.ts";
import { matches, newestFirst } from "./memory_letters.ts";
import { byCodePoint } from "./order.ts";

/**
 * A Store in memory: the rules of a durable one, lost with the process. {@link reopen} stands for a crash or a second
 * process, for tests of recovery.
 */
export class MemoryStore implements Store {
  readonly name = "memory";
  readonly durable = false;
  readonly opened: StoreOpened;
  readonly lost: Promise<string>;
  readonly #contents: Contents;
  readonly #shared: boolean;
  readonly #faultListeners = new Set<(fault: string | undefined) => void>();
  #fault: string | undefined;
  #closed = false;
  /** Whose commit is being applied, and why those that build on what has just failed are not. */
  #line: object | undefined;
  readonly #brokenLines = new WeakMap<object, unknown>();
  #tellLoss: (reason: string) => void = () => {};

  /** @param contents those of another store, which is lost then. @param shared leaves that other one be. */
  constructor(
    contents: Contents = emptyContents(),
    { shared = false }: { readonly shared?: boolean } = {},
  ) {
    this.#contents = contents;
    this.#shared = shared;
    const unclean = !contents.clean;
    const recovered = shared ? 0 : unclaim(contents);
    contents.clean = shared && contents.clean;
    contents.fence += shared ? 0 : 1;
    this.opened = { recovered, unclean, fence: contents.fence, lastSeq: contents.lastSeq };
    this.lost = new Promise((resolve) => {
      this.#tellLoss = resolve;
    });
  }

  /** The same contents under a new owner, as after a crash; unless it was closed, this store is lost from here on. */
  reopen(): MemoryStore {
    const next = new MemoryStore(this.#contents);
    if (!this.#closed) this.#tellLoss("another owner took over");
    return next;
  }

  /** The same contents for one more user: all of them go on, as the nodes of one database do that keep their actors there. */
  share(): MemoryStore {
    return new MemoryStore(this.#contents, { shared: true });
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  onFault(listener: (fault: string | undefined) => void): () => void {
    this.#faultListeners.add(listener);
    return () => void this.#faultListeners.delete(listener);
  }

  /** Fails every commit from here on, as a full disk would, until called without a reason. For tests. */
  fail(fault: string | undefined): void {
    if (this.#fault === fault) return;
    this.#fault = fault;
    for (const listener of this.#faultListeners) listener(fault);
  }

  async commit(changes: readonly StoreChange[]): Promise<void> {
    this.#check();
    if (this.#fault !== undefined) {
      throw new ActrError("storage", this.#fault, { details: { fault: "database" } });
    }
    if (!changes.every((change) => holds(this.#contents, change))) {
      throw this.#broken(
        new ActrError("lease_lost", "memory store: what the commit expects does not hold"),
      );
    }
    this.#takeSeqs(changes);
    for (const change of changes) apply(this.#contents, change);
  }

  submit(changes: readonly StoreChange[], committed: Committed, line: object = changes): void {
    this.#line = line;
    const failed = this.#brokenLines.get(line);
    const written = failed === undefined ? this.commit(changes) : Promise.reject(failed);
    this.#line = undefined;
    void written.then(
      () => committed(),
      (error: unknown) => {
        this.#brokenLines.delete(line);
        committed(error);
      },
    );
  }

  /** What the line that submits builds on has failed. */
  #broken(error: ActrError): ActrError {
    if (this.#line !== undefined) this.#brokenLines.set(this.#line, error);
    return error;
  }

  async mailboxRows(
    afterSeq: number,
    limit: number,
    priority?: Priority,
    maxBytes: number = Number.POSITIVE_INFINITY,
  ): Promise<MailboxRow[]> {
    this.#check();
    const page: MailboxRow[] = [];
    let bytes = 0;
    // Seqs ascend from put to put, so the rows are in their order.
    for (const row of this.#contents.rows.values()) {
      if (page.length >= limit || bytes >= maxBytes) break;
      if (row.seq <= afterSeq || (priority !== undefined && row.priority !== priority)) continue;
      page.push(row);
      bytes += row.payload.length;
    }
    return page;
  }

  async mailboxCounts(): Promise<MailboxCounts> {
    this.#check();
    const { rows, claimed } = this.#contents;
    let queuedHigh = 0;
    for (const { seq, priority } of rows.values()) {
      if (priority === 1 && !claimed.has(seq)) queuedHigh++;
    }
    const queuedNormal = rows.size - claimed.size - queuedHigh;
    return { queuedNormal, queuedHigh, claimed: claimed.size };
  }

  async answers(afterSeq: number, limit: number): Promise<StoredAnswer[]> {
    this.#check();
    const answers = [...this.#contents.answers.values()];
    return answers.filter(({ seq }) => seq > afterSeq).slice(0, limit);
  }

  async deadLetter(id: string): Promise<DeadLetter | undefined> {
    this.#check();
    return this.#contents.letters.get(id);
  }

  async deadLetters(limit: number, query: DeadLetterQuery = {}): Promise<DeadLetter[]> {
    this.#check();
    const { after } = query;
    let list = newestFirst(this.#contents.letters);
    if (query.first === "oldest") list.reverse();
    if (after !== undefined) {
      const at = list.findIndex(({ id }) => id === after);
      if (at < 0)
        throw new ActrError("not_found", `dead letter ${after} is gone; list from the start`);
      list = list.slice(at + 1);
    }
    return list.filter((letter) => matches(letter, query)).slice(0, limit);
  }

  async deadLetterStats(): Promise<DeadLetterStats> {
    this.#check();
    const byCategory: Record<string, number> = {};
    let redriven = 0;
    let oldestAt: number | null = null;
    for (const { category, redriveAttempts, createdAt } of this.#contents.letters.values()) {
      byCategory[category] = (byCategory[category] ?? 0) + 1;
      if (redriveAttempts > 0) redriven++;
      oldestAt = Math.min(oldestAt ?? createdAt, createdAt);
    }
    return { total: this.#contents.letters.size, byCategory, redriven, oldestAt };
  }

  async record(space: string, key: string): Promise<Uint8Array | undefined> {
    this.#check();
    return this.#contents.spaces.get(space)?.get(key);
  }

  async records(space: string, afterKey: string, limit: number): Promise<RecordEntry[]> {
    this.#check();
    const entries = [...(this.#contents.spaces.get(space) ?? [])];
    const after = entries.filter(([key]) => byCodePoint(key, afterKey) > 0);
    after.sort(([a], [b]) => byCodePoint(a, b));
    return after.slice(0, limit).map(([key, value]) => ({ key, value }));
  }

  async nextSpace(space: string): Promise<string | undefined> {
    this.#check();
    const spaces = [...this.#contents.spaces].filter(([, records]) => records.size > 0);
    const above = spaces.map(([name]) => name).filter((name) => byCodePoint(name, space) > 0);
    return above.sort(byCodePoint)[0];
  }

  async close(): Promise<void> {
    if (!this.#closed && this.#contents.fence === this.opened.fence) this.#contents.clean = true;
    this.#closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(): void {
    if (this.#closed) throw new ActrError("storage", "memory store is closed; open it again");
    if (this.#shared || this.#contents.fence === this.opened.fence) return;
    throw new ActrError("lease_lost", "memory store: another owner took over");
  }

  #takeSeqs(changes: readonly StoreChange[]): void {
    let last = this.#contents.lastSeq;
    for (const change of changes) {
      if (change.kind !== "mailbox.put") continue;
      const { seq } = change.row;
      if (seq <= last)
        throw new RangeError(`mailbox row ${seq} does not ascend; the last was ${last}`);
      last = seq;
    }
    this.#contents.lastSeq = last;
  }
}
