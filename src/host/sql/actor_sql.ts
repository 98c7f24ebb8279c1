import type { Sql, SqlDefinition, SqlStatements } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SqlDriver, SqlRow, SqlValue } from "../../ports/sql_driver.ts";
import { generationChange } from "../contents.ts";
import type { ActorKind } from "../host_components.ts";
import type { Instance } from "../instance.ts";
import { migrateSql } from "./sql_migrations.ts";
import type { PoolMember, SqlPool } from "./sql_pool.ts";
import { statementOf, told } from "./sql_statements.ts";
import { inTransaction, type TransactionLimit } from "./sql_transaction.ts";

/** What {@link ActorSql} works with. */
export interface ActorSqlParts {
  readonly id: string;
  /** Which of the actor's lives it is for. */
  readonly generation: number;
  readonly pool: SqlPool;
  readonly definition: SqlDefinition;
  readonly clock: Clock;
  /** A later life has the database: this one is over. */
  readonly lost: (error: ActrError) => void;
}

/** Statements and transactions that wait for those before them (`spec/actor-host.md` §15.2). */
const maxWaiting = 128;
/** Longest transaction, milliseconds. */
const transactionMs = 60_000;

/** The database of one actor: opened and brought up to date when it is used, one statement or transaction after the other. */
export class ActorSql implements Sql, PoolMember {
  readonly #parts: ActorSqlParts;
  readonly #limit: TransactionLimit;
  readonly #closed = new AbortController();
  #driver: SqlDriver | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(parts: ActorSqlParts) {
    this.#parts = parts;
    this.#limit = { clock: parts.clock, ms: transactionMs, signal: this.#closed.signal };
  }

  async all<Row = SqlRow>(sql: string, ...args: readonly SqlValue[]): Promise<Row[]> {
    const statement = statementOf(sql, args);
    return (await this.#next((driver) => told(() => driver.all(statement)))) as Row[];
  }

  async get<Row = SqlRow>(sql: string, ...args: readonly SqlValue[]): Promise<Row | undefined> {
    const [first] = await this.all<Row>(sql, ...args);
    return first;
  }

  async run(sql: string, ...args: readonly SqlValue[]): Promise<void> {
    const statement = statementOf(sql, args);
    await this.#next((driver) => told(() => driver.run(statement)));
  }

  async batch(
    statements: readonly (readonly [sql: string, ...args: readonly SqlValue[]])[],
  ): Promise<void> {
    const all = statements.map(([sql, ...args]) => statementOf(sql, args));
    await this.#next((driver) => told(() => driver.batch(all)));
  }

  async transaction<T>(work: (tx: SqlStatements) => T | Promise<T>): Promise<T> {
    return await this.#next((driver) => inTransaction(driver, this.#limit, work));
  }

  /** Opens it, so that earlier lives can do nothing to it any more. */
  async claim(): Promise<void> {
    await this.#next(async () => {});
  }

  rest(): boolean {
    if (this.#waiting > 0 || this.#driver === undefined) return false;
    void this.#parts.pool.close(this.#parts.id, this.#driver);
    this.#driver = undefined;
    return true;
  }

  /** Rolls back what goes on, and closes it for good. */
  async close(): Promise<void> {
    this.#closed.abort(closed());
    await this.#last;
    if (this.#driver === undefined) return;
    await this.#parts.pool.close(this.#parts.id, this.#driver);
    this.#driver = undefined;
  }

  async #next<T>(work: (driver: SqlDriver) => Promise<T>): Promise<T> {
    if (this.#waiting >= maxWaiting) throw overloaded();
    this.#waiting += 1;
    const result = this.#last.then(() => this.#run(work));
    this.#last = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #run<T>(work: (driver: SqlDriver) => Promise<T>): Promise<T> {
    this.#closed.signal.throwIfAborted();
    try {
      if (this.#driver === undefined) await this.#open();
      else this.#parts.pool.touch(this.#parts.id, this);
      return await work(this.#driver as SqlDriver);
    } catch (error) {
      if (ActrError.is(error) && error.code === "lease_lost") this.#parts.lost(error);
      throw error;
    }
  }

  /** One that cannot be brought up to date is tried again with the next use. */
  async #open(): Promise<void> {
    const { id, generation, pool, definition } = this.#parts;
    const driver = await pool.open(id, generation, this);
    try {
      await migrateSql(driver, definition.migrations ?? [], this.#limit);
    } catch (error) {
      await pool.close(id, driver);
      throw error;
    }
    this.#driver = driver;
  }
}

function closed(): ActrError {
  return new ActrError("sqlite.closed", "the actor has stopped, and its database is closed");
}

function overloaded(): ActrError {
  const message = `${maxWaiting} statements wait for this actor's database; await them, or use batch`;
  return new ActrError("actor.overloaded", message, {
    retryAfterMs: 100,
    details: { channel: "sqlite_worker", capacity: maxWaiting },
  });
}

/** The database of an actor. @throws ActrError `sqlite.not_configured`. */
export function openSql(instance: Instance): ActorSql {
  const { id, generation, kind, components } = instance;
  const { sql: pool, clock } = components;
  const { sql: definition } = kind.definition;
  if (definition === undefined || pool === undefined) throw noSql(kind, definition);
  const lost = (error: ActrError): void => instance.fail(error);
  return new ActorSql({ id, generation, pool, definition, clock, lost });
}

/**
 * Keeps earlier lives of an actor from its database, before this one begins: on a node that was taken for dead they may
 * still use it. The number of the life is on disk first, so that no other has the same. @throws ActrError `storage`,
 * `lease_lost`.
 */
export async function claimSql(instance: Instance): Promise<void> {
  const { id, generation, kind, components } = instance;
  if (kind.definition.sql === undefined || components.sql?.shared !== true) return;
  await components.store.commit([generationChange(id, generation)]);
  await instance.sql.claim();
}

function noSql({ name }: ActorKind, definition: unknown): ActrError {
  const mend =
    definition === undefined
      ? `give actor ${name} \`sql: {}\``
      : "serve with a store of which the databases have a place, or with `databases`";
  return new ActrError("sqlite.not_configured", `there is no database: ${mend}`);
}
