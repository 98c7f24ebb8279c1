import type { Durability } from "../../src/options.ts";
import type {
  SqlDriver,
  SqlRow,
  SqlStatement,
  SqlTransaction,
  SqlValue,
} from "../../src/ports/sql_driver.ts";
import { guardFailed, openError, toSqlError } from "./sql_errors.ts";
import { toArgs, toRow } from "./values.ts";

/** Prepared statements kept; a store uses about thirty texts. */
const maxStatements = 256;
/** How long an open or a write waits for a lock, milliseconds; it blocks the event loop. */
const busyTimeoutMs = 100;

/** A prepared statement of a synchronous SQLite binding. */
export interface SyncStatement {
  run(args: readonly SqlValue[]): void;
  all(args: readonly SqlValue[]): readonly Readonly<Record<string, unknown>>[];
}

/** Whether other connections may have the file too; none of a process that was killed can. */
export type Locking = "EXCLUSIVE" | "NORMAL";

/** What differs between synchronous SQLite bindings. */
export interface SyncBinding {
  exec(sql: string): void;
  prepare(sql: string): SyncStatement;
  close(): void | Promise<void>;
}

/**
 * Takes a database file in WAL mode, for this process alone unless `locking` says otherwise. The lock is the operating
 * system's: it ends with the process.
 * @throws ActrError `storage` when another process has the file or it cannot be used; the binding is closed then.
 */
export async function openSyncDriver(
  name: string,
  binding: SyncBinding,
  durability: Durability,
  locking: Locking = "EXCLUSIVE",
): Promise<SqlDriver> {
  try {
    binding.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA locking_mode = ${locking};
      PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}; PRAGMA foreign_keys = OFF`);
    // The lock is taken by the first use, not by the pragma.
    binding.exec("BEGIN IMMEDIATE; COMMIT");
    return new SyncDriver(name, binding, locking === "EXCLUSIVE");
  } catch (error) {
    await binding.close();
    throw openError(error, name);
  }
}

const beginning: SqlStatement = { sql: "BEGIN IMMEDIATE", args: [] };

class SyncDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous = true;
  readonly exclusive: boolean;
  readonly remote = false;
  readonly #binding: SyncBinding;
  readonly #statements = new Map<string, SyncStatement>();
  #closed = false;

  constructor(name: string, binding: SyncBinding, exclusive: boolean) {
    this.name = name;
    this.exclusive = exclusive;
    this.#binding = binding;
  }

  run(statement: SqlStatement): void {
    try {
      this.#run(statement);
    } catch (error) {
      throw toSqlError(error, this.name);
    }
  }

  all(statement: SqlStatement): SqlRow[] {
    try {
      return this.#all(statement).map(toRow);
    } catch (error) {
      throw toSqlError(error, this.name);
    }
  }

  batch(statements: readonly SqlStatement[], guard?: SqlStatement): void {
    try {
      this.#prepare("BEGIN IMMEDIATE").run([]);
      if (guard !== undefined && this.#all(guard).length === 0) throw guardFailed(this.name);
      for (const statement of statements) this.#run(statement);
      this.#prepare("COMMIT").run([]);
    } catch (error) {
      this.#rollBack();
      throw toSqlError(error, this.name);
    }
  }

  begin(): SqlTransaction {
    this.run(beginning);
    return {
      run: (statement) => this.run(statement),
      all: (statement) => this.all(statement),
      commit: () => this.#commit(),
      rollBack: () => this.#rollBack(),
    };
  }

  close(): void | Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A transaction that goes on would keep its lock for as long as a statement lives.
    this.#rollBack();
    this.#statements.clear();
    return this.#binding.close();
  }

  #commit(): void {
    try {
      this.#prepare("COMMIT").run([]);
    } catch (error) {
      this.#rollBack();
      throw toSqlError(error, this.name);
    }
  }

  #run({ sql, args }: SqlStatement): void {
    this.#prepare(sql).run(toArgs(args));
  }

  #all({ sql, args }: SqlStatement): readonly Readonly<Record<string, unknown>>[] {
    return this.#prepare(sql).all(toArgs(args));
  }

  #prepare(sql: string): SyncStatement {
    if (this.#closed) throw new Error("the database is closed");
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#binding.prepare(sql);
    if (this.#statements.size >= maxStatements) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }

  /** SQLite has often rolled back by itself by now, and says so by an error. */
  #rollBack(): void {
    try {
      this.#binding.exec("ROLLBACK");
    } catch {}
  }
}
