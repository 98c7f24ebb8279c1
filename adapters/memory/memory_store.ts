import { ActrError, assertNever } from "../../src/errors.ts";
import type {
  DeadLetter,
  MailboxRow,
  RecordEntry,
  Store,
  StoreChange,
  StoredAnswer,
  StoreOpened,
} from "../../src/ports/store.ts";

/** What outlives one opening of a memory store. */
interface Contents {
  readonly rows: Map<number, MailboxRow>;
  readonly claimed: Set<number>;
  readonly letters: Map<string, DeadLetter>;
  readonly answers: Map<string, StoredAnswer>;
  readonly spaces: Map<string, Map<string, Uint8Array>>;
  fence: number;
  lastSeq: number;
  clean: boolean;
}

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
  #closed = false;
  #tellLoss: (reason: string) => void = () => {};

  constructor(contents: Contents = emptyContents()) {
    this.#contents = contents;
    const unclean = !contents.clean;
    const recovered = unclaim(contents);
    contents.clean = false;
    contents.fence++;
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

  async commit(changes: readonly StoreChange[]): Promise<void> {
    this.#check();
    this.#takeSeqs(changes);
    for (const change of changes) apply(this.#contents, change);
  }

  async mailboxRows(afterSeq: number, limit: number): Promise<MailboxRow[]> {
    this.#check();
    const rows = [...this.#contents.rows.values()].filter((row) => row.seq > afterSeq);
    return rows.sort((a, b) => a.seq - b.seq).slice(0, limit);
  }

  async answer(caller: string, requestId: string): Promise<StoredAnswer | undefined> {
    this.#check();
    return this.#contents.answers.get(answerKey(caller, requestId));
  }

  async deadLetters(limit: number): Promise<DeadLetter[]> {
    this.#check();
    const newestFirst = [...this.#contents.letters.values()].reverse();
    return newestFirst.sort((a, b) => b.createdAt - a.createdAt).slice(0, limit);
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

  async close(): Promise<void> {
    if (!this.#closed && this.#contents.fence === this.opened.fence) this.#contents.clean = true;
    this.#closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(): void {
    if (this.#closed) throw new ActrError("storage", "memory store is closed; open it again");
    if (this.#contents.fence === this.opened.fence) return;
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

function emptyContents(): Contents {
  return {
    rows: new Map(),
    claimed: new Set(),
    letters: new Map(),
    answers: new Map(),
    spaces: new Map(),
    fence: 0,
    lastSeq: 0,
    clean: true,
  };
}

/** Hands claimed rows back with one attempt more; returns how many. */
function unclaim({ rows, claimed }: Contents): number {
  const held = claimed.size;
  for (const seq of claimed) {
    const row = rows.get(seq);
    if (row !== undefined) rows.set(seq, { ...row, attempts: row.attempts + 1 });
  }
  claimed.clear();
  return held;
}

function apply(contents: Contents, change: StoreChange): void {
  const { rows, claimed, letters, answers } = contents;
  switch (change.kind) {
    case "mailbox.put":
      rows.set(change.row.seq, change.row);
      return;
    case "mailbox.claim":
      if (rows.has(change.seq)) claimed.add(change.seq);
      return;
    case "mailbox.release":
      return release(contents, change);
    case "mailbox.ack":
      rows.delete(change.seq);
      claimed.delete(change.seq);
      return;
    case "deadLetter.put":
      letters.set(change.letter.id, change.letter);
      return;
    case "deadLetter.delete":
      letters.delete(change.id);
      return;
    case "answer.put":
      answers.set(answerKey(change.answer.caller, change.answer.requestId), change.answer);
      return;
    case "answer.expire":
      for (const [key, answer] of answers)
        if (answer.expiresAt < change.before) answers.delete(key);
      return;
    case "record.put":
      spaceOf(contents, change.space).set(change.key, change.value);
      return;
    case "record.delete":
      contents.spaces.get(change.space)?.delete(change.key);
      return;
    default:
      assertNever(change);
  }
}

function release(
  { rows, claimed }: Contents,
  { seq, attempts, notBefore }: Extract<StoreChange, { kind: "mailbox.release" }>,
): void {
  claimed.delete(seq);
  const row = rows.get(seq);
  if (row !== undefined) rows.set(seq, { ...row, attempts, notBefore });
}

function spaceOf({ spaces }: Contents, name: string): Map<string, Uint8Array> {
  const known = spaces.get(name) ?? new Map<string, Uint8Array>();
  spaces.set(name, known);
  return known;
}

function answerKey(caller: string, requestId: string): string {
  return `${caller.length}:${caller}${requestId}`;
}

/** The order of SQLite's UTF-8, which differs from that of UTF-16 beyond the basic plane. */
function byCodePoint(a: string, b: string): number {
  const right = b[Symbol.iterator]();
  for (const left of a) {
    const other = right.next();
    if (other.done) return 1;
    const difference = (left.codePointAt(0) ?? 0) - (other.value.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return right.next().done ? 0 : -1;
}
