import { ActrError } from "../../src/errors.ts";
import { Histogram } from "../../src/histogram.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Committed, StoreChange, StoreWrites } from "../../src/ports/store.ts";
import { Effects } from "./effects.ts";

/** What may wait to be written before commits are refused. */
export interface GroupCommitOptions {
  readonly maxPendingChanges: number;
  readonly maxPendingBytes: number;
}

/** Writes the effects in one transaction, all or nothing. */
export type WriteEffects = (effects: Effects) => Promise<void>;

interface Member {
  readonly changes: readonly StoreChange[];
  readonly committed: Committed;
  /** Those of one line build on each other. */
  readonly line: object | undefined;
}

/** Commits that share a transaction. */
class Group {
  effects: Effects = new Effects();
  members: Member[] = [];
  /** Resolves when every member has its outcome; never rejects. */
  readonly settled: Promise<void>;
  settle: () => void = () => {};

  constructor() {
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  add(member: Member): void {
    for (const change of member.changes) this.effects.add(change);
    this.members.push(member);
  }

  /** Takes out those of a line. */
  drop(line: object): Member[] {
    return this.take((member) => member.line === line);
  }

  /** Takes out those that fit: reads no longer see what they wanted to write. */
  take(fits: (member: Member) => boolean): Member[] {
    const all = this.members;
    const taken = all.filter(fits);
    if (taken.length === 0) return taken;
    this.members = [];
    this.effects = new Effects();
    for (const member of all) if (!taken.includes(member)) this.add(member);
    return taken;
  }
}

/**
 * Collects the commits of one turn of the event loop and writes them in one transaction; while that is under way,
 * the next group collects. Groups are written one after the other, in order; a database that fails one fails the next
 * with it, as far as that was handed over by then.
 */
export class GroupCommit {
  readonly #write: WriteEffects;
  readonly #clock: Clock;
  readonly #options: GroupCommitOptions;
  readonly #transactions = new Histogram();
  #commits = 0;
  #open = new Group();
  #writing: Group | undefined;

  constructor(write: WriteEffects, clock: Clock, options: GroupCommitOptions) {
    this.#write = write;
    this.#clock = clock;
    this.#options = options;
  }

  get writes(): StoreWrites {
    return { commits: this.#commits, transactions: this.#transactions };
  }

  /** What is not on disk yet, newest first. */
  get pending(): readonly Effects[] {
    return this.#writing === undefined
      ? [this.#open.effects]
      : [this.#open.effects, this.#writing.effects];
  }

  /** Why nothing more is taken at the moment, if so: `overloaded`. */
  get overload(): ActrError | undefined {
    const { changes, bytes } = this.#open.effects;
    const { maxPendingChanges, maxPendingBytes } = this.#options;
    return changes < maxPendingChanges && bytes < maxPendingBytes
      ? undefined
      : overloaded(changes, bytes);
  }

  /** Resolves when the changes are on disk; rejects with what the write failed with. */
  commit(changes: readonly StoreChange[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.submit(changes, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** The same for a caller that wants no promise. */
  submit(changes: readonly StoreChange[], committed: Committed, line?: object): void {
    if (this.#open.members.length === 0) this.#clock.defer(() => this.#flush());
    this.#open.add({ changes, committed, line });
  }

  /** Writes what was handed over so far without waiting for the end of the turn; never rejects. */
  settle(): Promise<void> {
    const last = this.#open.members.length > 0 ? this.#open : this.#writing;
    this.#flush();
    return last?.settled ?? Promise.resolve();
  }

  #flush(): void {
    if (this.#writing !== undefined || this.#open.members.length === 0) return;
    this.#writing = this.#open;
    this.#open = new Group();
    void this.#run(this.#writing);
  }

  async #run(group: Group): Promise<void> {
    const began = this.#clock.monotonic();
    const error = await attempt(this.#write(group.effects));
    this.#transactions.observe((this.#clock.monotonic() - began) / 1000);
    this.#commits += group.members.length;
    const apart = faultOf(error) === "statement";
    if (apart) await this.#apart(group);
    const told = apart ? [] : error === undefined ? [group] : [group, this.#takeOpen()];
    this.#writing = undefined;
    group.settle();
    this.#flush();
    for (const { members } of told) for (const member of members) tell(member, error);
  }

  /** What was handed over since builds on what has just failed: written without it, it would tear its owner's data. */
  #takeOpen(): Group {
    const open = this.#open;
    this.#open = new Group();
    open.settle();
    return open;
  }

  /** One bad commit must not fail its neighbours, but those that build on it. */
  async #apart(group: Group): Promise<void> {
    const broken = new Map<object, unknown>();
    for (const member of group.members) {
      const { changes, line } = member;
      const before = line && broken.get(line);
      const error = before ?? (await attempt(this.#write(new Effects(changes))));
      const followers = error === undefined || line === undefined ? [] : this.#open.drop(line);
      if (line !== undefined && error !== undefined) broken.set(line, error);
      // Whoever hears of a failure and reads again must not find what was not written.
      if (error !== undefined) group.take((each) => each === member || isOf(each, line));
      for (const each of [member, ...followers]) tell(each, error);
    }
  }
}

function isOf(member: Member, line: object | undefined): boolean {
  return line !== undefined && member.line === line;
}

/** Tells one member; what it throws, against its promise, is no other member's and ends nothing here. */
function tell({ committed }: Member, error: unknown): void {
  try {
    committed(error);
  } catch (thrown) {
    void Promise.reject(thrown);
  }
}

/** The error that a write ended with, if any. */
async function attempt(write: Promise<void>): Promise<unknown> {
  try {
    await write;
    return undefined;
  } catch (error) {
    return ActrError.from(error, "storage");
  }
}

function faultOf(error: unknown): unknown {
  return ActrError.is(error) ? error.details?.["fault"] : undefined;
}

function overloaded(changes: number, bytes: number): ActrError {
  const message = `${changes} changes (${bytes} bytes) wait to be written; the disk is too slow for this load`;
  return new ActrError("overloaded", message, { retryAfterMs: 50 });
}
