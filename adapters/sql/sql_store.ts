import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";
import type { SqlDriver, SqlStatement } from "../../src/ports/sql_driver.ts";
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
  StoreWrites,
} from "../../src/ports/store.ts";
import type { Effects } from "./effects.ts";
import { GroupCommit, type GroupCommitOptions } from "./group_commit.ts";
import type { FaultListener } from "./health.ts";
import { join } from "./join.ts";
import {
  deadLetterQuery,
  deadLetterStatsQuery,
  deadLettersQuery,
  sumStats,
} from "./letter_queries.ts";
import { MailboxSeqs, reservation } from "./mailbox_seqs.ts";
import { OwnedDatabase } from "./owned_database.ts";
import {
  answersQuery,
  mailboxCountsQuery,
  mailboxQuery,
  mailboxSizesQuery,
  nextSpaceQuery,
  type Query,
  recordsQuery,
} from "./queries.ts";
import { Reads } from "./reads.ts";
import { toStatements } from "./statements.ts";
import { type Backup, type TakenOver, takeOver } from "./take_over.ts";

/** Options of {@link openSqlStore}. */
export interface SqlStoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Names this owner to a second one that is refused. @default a random id */
  readonly owner?: string;
  /** Life of the lease without renewal, where the driver is not exclusive. Milliseconds. @default 15000 */
  readonly leaseMs?: number;
  /** How long an open waits for the lease of an owner that may be dead. Milliseconds. @default `leaseMs` */
  readonly leaseWaitMs?: number;
  /** Changes that may wait to be written before `overloaded`. @default 65536 */
  readonly maxPendingChanges?: number;
  /** Bytes that may wait to be written before `overloaded`. @default 64 MiB */
  readonly maxPendingBytes?: number;
  /** How long a close waits for writes under way; for a server, also the longest wait for one answer. Milliseconds. @default 5000 */
  readonly callTimeoutMs?: number;
  /** Copies the database before its tables are changed to a newer version. */
  readonly backup?: Backup;
  /** Opens it beside others, for records alone; then it has no lease. @default false */
  readonly shared?: boolean;
}

/** Something to write when only the question is whether it can be. */
const harmless: SqlStatement = { sql: "UPDATE meta SET clean = 0", args: [] };

/**
 * Opens a Store in the database behind `driver`, which it owns from here on and closes, also when opening fails.
 * @throws ActrError `storage` when another process owns the database, its schema is newer, or it cannot be read.
 */
export async function openSqlStore(
  driver: SqlDriver,
  options: SqlStoreOptions,
  signal: AbortSignal,
): Promise<Store> {
  const { clock, random, leaseMs = 15_000 } = options;
  const { owner = random.uuid(), leaseWaitMs = leaseMs } = options;
  const { maxPendingChanges = 65_536, maxPendingBytes = 64 * 2 ** 20 } = options;
  const { callTimeoutMs: closeMs = 5_000, backup, shared = false } = options;
  const copy = backup === undefined ? {} : { backup };
  try {
    const lease = { owner, leaseMs, leaseWaitMs, signal, ...copy };
    const taken = await (shared ? join(driver, clock, lease) : takeOver(driver, clock, lease));
    const limits = { maxPendingChanges, maxPendingBytes, closeMs, shared };
    return new SqlStore(driver, clock, taken, limits);
  } catch (error) {
    await driver.close();
    throw error;
  }
}

interface SqlStoreLimits extends GroupCommitOptions {
  /** How long a close waits for writes under way, milliseconds. */
  readonly closeMs: number;
  readonly shared: boolean;
}

class SqlStore implements Store {
  readonly name: string;
  readonly durable = true;
  readonly opened: StoreOpened;
  readonly lost: Promise<string>;
  readonly #database: OwnedDatabase;
  readonly #seqs: MailboxSeqs;
  readonly #group: GroupCommit;
  readonly #reads: Reads;
  readonly #clock: Clock;
  readonly #closeMs: number;
  #closing: Promise<void> | undefined;

  constructor(driver: SqlDriver, clock: Clock, taken: TakenOver, limits: SqlStoreLimits) {
    const { recovered, unclean, fence, lastSeq } = taken;
    const { shared } = limits;
    const probe = (): Promise<void> => this.#group.commit([]);
    this.name = driver.name;
    this.opened = { recovered, unclean, fence, lastSeq };
    this.#clock = clock;
    this.#closeMs = limits.closeMs;
    this.#seqs = new MailboxSeqs(taken);
    this.#database = new OwnedDatabase({ driver, clock, taken, shared, probe });
    this.lost = this.#database.lost;
    this.#group = new GroupCommit((effects) => this.#write(effects), clock, limits);
    this.#reads = new Reads(driver, this.#group);
  }

  commit(changes: readonly StoreChange[]): Promise<void> {
    const refusal = this.#admit(changes);
    return refusal === undefined ? this.#group.commit(changes) : Promise.reject(refusal);
  }

  submit(changes: readonly StoreChange[], committed: Committed, line?: object): void {
    const refusal = this.#admit(changes);
    if (refusal === undefined) this.#group.submit(changes, committed, line);
    else queueMicrotask(() => committed(refusal));
  }

  get writes(): StoreWrites {
    return this.#group.writes;
  }

  get fault(): string | undefined {
    return this.#database.fault;
  }

  onFault(listener: FaultListener): () => void {
    return this.#database.onFault(listener);
  }

  async mailboxRows(
    afterSeq: number,
    limit: number,
    priority?: Priority,
    maxBytes?: number,
  ): Promise<MailboxRow[]> {
    if (maxBytes === undefined) return this.#list(mailboxQuery(afterSeq, limit, priority));
    const sizes = await this.#list(mailboxSizesQuery(afterSeq, limit, priority));
    const fitting = countWithin(sizes, maxBytes);
    return fitting === 0 ? [] : this.#list(mailboxQuery(afterSeq, fitting, priority));
  }

  async mailboxCounts(): Promise<MailboxCounts> {
    const [counts] = await this.#list(mailboxCountsQuery());
    return counts ?? { queuedNormal: 0, queuedHigh: 0, claimed: 0 };
  }

  async answers(afterSeq: number, limit: number): Promise<StoredAnswer[]> {
    return this.#list(answersQuery(afterSeq, limit));
  }

  async deadLetter(id: string): Promise<DeadLetter | undefined> {
    const [found] = await this.#list(deadLetterQuery(id));
    return found;
  }

  async deadLetters(limit: number, query: DeadLetterQuery = {}): Promise<DeadLetter[]> {
    const { after } = query;
    if (after !== undefined && (await this.deadLetter(after)) === undefined) {
      throw new ActrError("not_found", `dead letter ${after} is gone; list from the start`);
    }
    return this.#list(deadLettersQuery(limit, query));
  }

  async deadLetterStats(): Promise<DeadLetterStats> {
    return sumStats(await this.#list(deadLetterStatsQuery()));
  }

  async record(space: string, key: string): Promise<Uint8Array | undefined> {
    this.#check();
    return this.#reads.record(space, key);
  }

  async records(space: string, afterKey: string, limit: number): Promise<RecordEntry[]> {
    this.#check();
    return this.#reads.listOf(space, recordsQuery(space, afterKey, limit));
  }

  async nextSpace(space: string): Promise<string | undefined> {
    const [next] = await this.#list(nextSpaceQuery(space));
    return next;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#settle();
    await this.#database.close(this.#seqs.last);
  }

  async #settle(): Promise<void> {
    const giveUpAt = this.#clock.now() + this.#closeMs;
    const closed = new ActrError("storage", `${this.name} was closed before it had written all`);
    const timer = this.#clock.timer(giveUpAt, () => this.#database.giveUp(closed));
    await this.#group.settle();
    timer.cancel();
  }

  async #write(effects: Effects): Promise<void> {
    const statements = toStatements(effects);
    const reserve = this.#seqs.toReserve(effects.lastSeq);
    if (reserve !== undefined) statements.push(reservation(reserve));
    if (statements.length === 0) {
      if (this.#database.fault === undefined) return;
      statements.push(harmless);
    }
    await this.#database.write(statements, effects.expectations.length > 0);
    if (reserve !== undefined) this.#seqs.reserved(reserve);
  }

  async #list<T>(query: Query<T>): Promise<T[]> {
    this.#check();
    return this.#reads.list(query);
  }

  #admit(changes: readonly StoreChange[]): Error | undefined {
    return this.#refusal() ?? this.#group.overload ?? this.#seqs.take(changes);
  }

  #refusal(): ActrError | undefined {
    if (this.#closing !== undefined) {
      return new ActrError("storage", `${this.name} is closed; open it again`);
    }
    return this.#database.loss;
  }

  #check(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
  }
}

/** How many sizes it takes to reach `sum`, the last one included; all when they do not. */
function countWithin(sizes: readonly number[], sum: number): number {
  let total = 0;
  const last = sizes.findIndex((size) => {
    total += size;
    return total >= sum;
  });
  return last < 0 ? sizes.length : last + 1;
}
