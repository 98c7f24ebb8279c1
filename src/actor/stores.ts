import type { SqlRow, SqlValue } from "../ports/sql_driver.ts";

/** Durable values of one actor, by key. Reads see its own writes; writes are committed with the turn. */
export interface KeyValues {
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** @throws ActrError `actor.unsupported_value`; RangeError for a key that is empty or too long. */
  put(key: string, value: unknown): void;
  delete(key: string): void;
  /** Entries whose keys begin with `prefix`, ascending, after `after`. @default limit 100 */
  list<T = unknown>(options?: {
    readonly prefix?: string;
    readonly after?: string;
    readonly limit?: number;
  }): Promise<readonly { readonly key: string; readonly value: T }[]>;
}

/**
 * Statements of SQL (SQLite), with parameters by position. @throws ActrError `sqlite.statement_failed`,
 * `sqlite.invalid_bind_parameter`, `sqlite.closed` when the actor has stopped or the transaction is over; `storage`.
 */
export interface SqlStatements {
  /** All rows of one statement, by the names of their columns; integers beyond 2^53 are bigints. */
  all<Row = SqlRow>(sql: string, ...args: readonly SqlValue[]): Promise<Row[]>;
  /** The first row. */
  get<Row = SqlRow>(sql: string, ...args: readonly SqlValue[]): Promise<Row | undefined>;
  /** Runs one statement that returns nothing. */
  run(sql: string, ...args: readonly SqlValue[]): Promise<void>;
}

/**
 * A database of the actor's own. What a statement writes is on disk when it has ended, whatever becomes of the action;
 * statements and transactions go one after the other. @throws as {@link SqlStatements}; ActrError `actor.overloaded`
 * when 128 wait, `sqlite.not_configured` where the definition has no `sql`, or the node no place for databases.
 */
export interface Sql extends SqlStatements {
  /** Several statements in one transaction, all or nothing. */
  batch(
    statements: readonly (readonly [sql: string, ...args: readonly SqlValue[]])[],
  ): Promise<void>;
  /**
   * A transaction that code goes on in, at most 60 s: committed with its end, rolled back when it throws or the actor
   * stops. Everything else of this database waits, `c.sql` within `work` too: use `tx`. @throws ActrError `timed_out`.
   */
  transaction<T>(work: (tx: SqlStatements) => T | Promise<T>): Promise<T>;
}

/** One step of a database from version to version, run once, in one transaction: statements, or code. */
export type SqlMigration = readonly string[] | ((tx: SqlStatements) => void | Promise<void>);

/** The database of an actor, as data. */
export interface SqlDefinition {
  /** What has to be done, in order, to bring a new database to where the definition is. Add at the end; change none. Run at the first use in each life of the actor, as far as it is needed. */
  readonly migrations?: readonly SqlMigration[];
}
