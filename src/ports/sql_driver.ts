/** A value that crosses the driver: integers up to 2^53 − 1 as number, larger as bigint; blobs as Uint8Array. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** One row, by column name. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** One statement with its parameters, bound by position. */
export interface SqlStatement {
  readonly sql: string;
  readonly args: readonly SqlValue[];
}

/** A transaction that code goes on in, call by call. */
export interface SqlTransaction {
  run(statement: SqlStatement): void | Promise<void>;
  all(statement: SqlStatement): SqlRow[] | Promise<SqlRow[]>;
  /** Ends it. A failed one leaves nothing, as {@link SqlTransaction.rollBack}. */
  commit(): void | Promise<void>;
  /** Takes all of it back; does nothing when it has ended. */
  rollBack(): void | Promise<void>;
}

/** Whose fault a failure is: of these statements alone (others may succeed), or of the database, its disk or its server. */
export type SqlFault = "statement" | "database";

/**
 * The little of SQLite that a store needs, blind to what it stores.
 * Drivers that say `synchronous` return plain values where the type allows it, so that one turn needs no promise;
 * those that do not keep the order of the calls. Failures are ActrError `storage` whose `details.fault` is a {@link SqlFault}.
 */
export interface SqlDriver {
  readonly name: string;
  /** Whether results are plain values, not promises. */
  readonly synchronous: boolean;
  /** Whether opening took a lock of the operating system that ends with the process, so that no other process can have the file open. */
  readonly exclusive: boolean;
  /** Whether a server does the work, so that a batch may take effect and its confirmation be lost. */
  readonly remote: boolean;
  /** Runs one statement outside any batch. */
  run(statement: SqlStatement): void | Promise<void>;
  /** Rows of one query. */
  all(statement: SqlStatement): SqlRow[] | Promise<SqlRow[]>;
  /** All statements in one transaction, all or nothing; `guard`, when given, must return at least one row or the transaction is rolled back with `lease_lost`. */
  batch(statements: readonly SqlStatement[], guard?: SqlStatement): void | Promise<void>;
  /** Begins a transaction for writing; until it has ended, nothing else is asked of the driver. Absent where a batch is all there is. */
  begin?(): SqlTransaction | Promise<SqlTransaction>;
  /** What is in a transaction that has not ended is lost. */
  close(): void | Promise<void>;
}

/** A name as SQL takes it, whatever is in it. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
