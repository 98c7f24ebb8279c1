import { ActrError, assertNever } from "../../src/errors.ts";
import type {
  AnswerKey,
  AnswerUse,
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
  readonly #faultListeners = new Set<(fault: string | undefined) => void>();
  #fault: string | undefined;
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
    this.#takeSeqs(changes);
    for (const change of changes) apply(this.#contents, change);
  }

  async mailboxRows(afterSeq: number, limit: number, priority?: Priority): Promise<MailboxRow[]> {
    this.#check();
    const rows = [...this.#contents.rows.values()].filter(
      (row) => row.seq > afterSeq && (priority === undefined || row.priority === priority),
    );
    return rows.sort((a, b) => a.seq - b.seq).slice(0, limit);
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

  async answer(caller: string, requestId: string): Promise<StoredAnswer | undefined> {
    this.#check();
    return this.#contents.answers.get(answerKey(caller, requestId));
  }

  async answers(after: AnswerKey | undefined, limit: number): Promise<StoredAnswer[]> {
    this.#check();
    const answers = [...this.#contents.answers.values()];
    const above = answers.filter((each) => after === undefined || byAnswerKey(each, after) > 0);
    return above.sort(byAnswerKey).slice(0, limit);
  }

  async answerUse(): Promise<AnswerUse> {
    this.#check();
    const { answers } = this.#contents;
    let bytes = 0;
    for (const { response } of answers.values()) bytes += response.length;
    return { entries: answers.size, bytes };
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
  switch (change.kind) {
    case "mailbox.put":
    case "mailbox.claim":
    case "mailbox.release":
    case "mailbox.ack":
      return applyMailbox(contents, change);
    case "deadLetter.put":
    case "deadLetter.delete":
    case "deadLetter.redrive":
    case "deadLetter.expire":
    case "deadLetter.keep":
      return applyLetter(contents.letters, change);
    case "answer.put":
    case "answer.expire":
    case "answer.keep":
      return applyAnswer(contents.answers, change);
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

type Change<Table extends string> = Extract<StoreChange, { readonly kind: `${Table}.${string}` }>;

function applyMailbox(contents: Contents, change: Change<"mailbox">): void {
  const { rows, claimed } = contents;
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
    default:
      assertNever(change);
  }
}

function applyLetter(letters: Map<string, DeadLetter>, change: Change<"deadLetter">): void {
  switch (change.kind) {
    case "deadLetter.put":
      letters.set(change.letter.id, change.letter);
      return;
    case "deadLetter.delete":
      letters.delete(change.id);
      return;
    case "deadLetter.redrive":
      return redrive(letters, change);
    case "deadLetter.expire":
      for (const { id, createdAt } of letters.values())
        if (createdAt < change.before) letters.delete(id);
      return;
    case "deadLetter.keep":
      for (const { id } of newestFirst(letters).slice(change.newest)) letters.delete(id);
      return;
    default:
      assertNever(change);
  }
}

function applyAnswer(answers: Map<string, StoredAnswer>, change: Change<"answer">): void {
  switch (change.kind) {
    case "answer.put":
      answers.set(answerKey(change.answer.caller, change.answer.requestId), change.answer);
      return;
    case "answer.expire":
      for (const [key, answer] of answers)
        if (answer.expiresAt < change.before) answers.delete(key);
      return;
    case "answer.keep":
      return keepAnswers(answers, change);
    default:
      assertNever(change);
  }
}

function redrive(
  letters: Map<string, DeadLetter>,
  { id, at }: Extract<StoreChange, { kind: "deadLetter.redrive" }>,
): void {
  const letter = letters.get(id);
  if (letter === undefined) return;
  const redriveAttempts = letter.redriveAttempts + 1;
  letters.set(id, { ...letter, redriveAttempts, lastRedriveAt: at });
}

/** Those that expire last stay, as far as both limits reach. */
function keepAnswers(answers: Map<string, StoredAnswer>, limit: AnswerUse): void {
  let bytes = 0;
  const latest = [...answers].sort(
    ([, a], [, b]) => b.expiresAt - a.expiresAt || byAnswerKey(a, b),
  );
  for (const [place, [key, { response }]] of latest.entries()) {
    bytes += response.length;
    if (place >= limit.entries || bytes > limit.bytes) answers.delete(key);
  }
}

/** A map keeps the order of arrival, also of what is replaced. */
function newestFirst(letters: ReadonlyMap<string, DeadLetter>): DeadLetter[] {
  return [...letters.values()].reverse().sort((a, b) => b.createdAt - a.createdAt);
}

function matches(
  letter: DeadLetter,
  { category, traceId, from, createdAfter }: DeadLetterQuery,
): boolean {
  return (
    (category === undefined || letter.category === category) &&
    (traceId === undefined || letter.traceId === traceId) &&
    (from === undefined || (letter.from !== null && equalBytes(letter.from, from))) &&
    (createdAfter === undefined || letter.createdAt > createdAfter)
  );
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function byAnswerKey(a: AnswerKey, b: AnswerKey): number {
  return byCodePoint(a.caller, b.caller) || byCodePoint(a.requestId, b.requestId);
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
