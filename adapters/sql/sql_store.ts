import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import type {
  DeadLetter,
  MailboxRow,
  RecordEntry,
  Store,
  StoreChange,
  StoredAnswer,
  StoreOpened,
} from "../../src/ports/store.ts";
import { type Effects, pairKey } from "./effects.ts";
import { GroupCommit, type GroupCommitOptions } from "./group_commit.ts";
import { Lease } from "./lease.ts";
import {
  answerQuery,
  deadLetterQuery,
  mailboxQuery,
  type Query,
  recordQuery,
  recordsQuery,
} from "./queries.ts";
import { toStatements } from "./statements.ts";
import { type TakenOver, takeOver } from "./take_over.ts";

/** Seqs reserved at a time: what a crash may leap over, and how rarely the reservation is written. */
const seqBlock = 1_000_000;

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
}

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
  try {
    const taken = await takeOver(driver, clock, { owner, leaseMs, leaseWaitMs, signal });
    return new SqlStore(driver, clock, taken, { maxPendingChanges, maxPendingBytes });
  } catch (error) {
    await driver.close();
    throw error;
  }
}

class SqlStore implements Store {
  readonly name: string;
  readonly durable = true;
  readonly opened: StoreOpened;
  readonly lost: Promise<string>;
  readonly #driver: SqlDriver;
  readonly #lease: Lease;
  readonly #group: GroupCommit;
  #lastSeq: number;
  #seqReserved: number;
  #closing: Promise<void> | undefined;

  constructor(driver: SqlDriver, clock: Clock, taken: TakenOver, limits: GroupCommitOptions) {
    const { recovered, unclean, fence, lastSeq } = taken;
    this.name = driver.name;
    this.opened = { recovered, unclean, fence, lastSeq };
    this.#driver = driver;
    this.#lastSeq = lastSeq;
    this.#seqReserved = taken.seqReserved;
    this.#lease = new Lease(driver, clock, taken);
    this.lost = this.#lease.lost;
    this.#group = new GroupCommit((effects) => this.#write(effects), clock, limits);
  }

  commit(changes: readonly StoreChange[]): Promise<void> {
    const refusal = this.#refusal() ?? this.#group.overload ?? this.#takeSeqs(changes);
    return refusal === undefined ? this.#group.commit(changes) : Promise.reject(refusal);
  }

  async mailboxRows(afterSeq: number, limit: number): Promise<MailboxRow[]> {
    return this.#list(mailboxQuery(afterSeq, limit));
  }

  async answer(caller: string, requestId: string): Promise<StoredAnswer | undefined> {
    this.#check();
    const key = pairKey(caller, requestId);
    let expireBefore = Number.NEGATIVE_INFINITY;
    const live = (answer: StoredAnswer | null | undefined): StoredAnswer | undefined =>
      answer && answer.expiresAt >= expireBefore ? answer : undefined;
    for (const effects of this.#group.pending) {
      const found = effects.answers.get(key);
      if (found !== undefined) return live(found.answer);
      expireBefore = Math.max(expireBefore, effects.expireBefore);
    }
    const [stored] = await this.#query(answerQuery(caller, requestId));
    return live(stored);
  }

  async deadLetters(limit: number): Promise<DeadLetter[]> {
    return this.#list(deadLetterQuery(limit));
  }

  async record(space: string, key: string): Promise<Uint8Array | undefined> {
    this.#check();
    const id = pairKey(space, key);
    for (const effects of this.#group.pending) {
      const found = effects.records.get(id);
      if (found !== undefined) return found.value ?? undefined;
    }
    const [stored] = await this.#query(recordQuery(space, key));
    return stored;
  }

  async records(space: string, afterKey: string, limit: number): Promise<RecordEntry[]> {
    return this.#list(recordsQuery(space, afterKey, limit));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#group.settle();
    this.#lease.end();
    try {
      if (this.#lease.loss === undefined) await this.#release();
    } finally {
      await this.#driver.close();
    }
  }

  /** Tells the next owner that all is in order; one who has taken over already need not hear it. */
  async #release(): Promise<void> {
    const sql = "UPDATE meta SET clean = 1, owner = NULL, seq_reserved = ?";
    try {
      await this.#driver.batch([{ sql, args: [this.#lastSeq] }], this.#lease.guard);
    } catch (error) {
      if (ActrError.from(error).code !== "lease_lost") throw error;
    }
  }

  async #write(effects: Effects): Promise<void> {
    const statements = toStatements(effects);
    const reserve = effects.lastSeq > this.#seqReserved ? effects.lastSeq + seqBlock : undefined;
    if (reserve !== undefined) {
      statements.push({ sql: "UPDATE meta SET seq_reserved = ?", args: [reserve] });
    }
    try {
      if (statements.length > 0) await this.#driver.batch(statements, this.#lease.guard);
    } catch (error) {
      if (ActrError.from(error).code !== "lease_lost") throw error;
      this.#lease.lose("another owner took over");
      throw this.#lease.loss;
    }
    if (reserve !== undefined) this.#seqReserved = reserve;
  }

  /** Rows of a query that sees everything committed before. */
  async #list<T>(query: Query<T>): Promise<T[]> {
    this.#check();
    await this.#group.settle();
    return this.#query(query);
  }

  async #query<T>(query: Query<T>): Promise<T[]> {
    const rows = await this.#driver.all(query);
    return rows.map(query.read);
  }

  #takeSeqs(changes: readonly StoreChange[]): RangeError | undefined {
    for (const change of changes) {
      if (change.kind !== "mailbox.put") continue;
      const { seq } = change.row;
      if (seq <= this.#lastSeq) {
        return new RangeError(`mailbox row ${seq} does not ascend; the last was ${this.#lastSeq}`);
      }
      this.#lastSeq = seq;
    }
    return undefined;
  }

  #refusal(): ActrError | undefined {
    if (this.#closing !== undefined) {
      return new ActrError("storage", `${this.name} is closed; open it again`);
    }
    return this.#lease.loss;
  }

  #check(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
  }
}
