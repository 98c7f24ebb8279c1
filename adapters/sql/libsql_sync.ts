import type { Durability } from "../../src/options.ts";
import type { SqlDriver, SqlValue } from "../../src/ports/sql_driver.ts";
import { collect } from "./collect.ts";
import { openError } from "./sql_errors.ts";
import {
  type Locking,
  openSyncDriver,
  type SyncBinding,
  type SyncStatement,
} from "./sync_driver.ts";

/** The part of the `libsql` package in use. */
interface LibsqlModule {
  readonly default: new (path: string) => LibsqlDatabase;
}

interface LibsqlDatabase {
  exec(sql: string): void;
  prepare(sql: string): LibsqlStatement;
  close(): void;
}

interface LibsqlStatement {
  run(args: readonly SqlValue[]): unknown;
  all(args: readonly SqlValue[]): Record<string, unknown>[];
  safeIntegers(enabled: boolean): void;
}

/**
 * Opens a file with the `libsql` package, for this process alone unless `locking` says otherwise. For Node without `node:sqlite`.
 * @throws ActrError `storage` when another process has the file, or it cannot be used.
 */
export async function openLibsqlSync(
  path: string,
  durability: Durability,
  locking: Locking = "EXCLUSIVE",
): Promise<SqlDriver> {
  const name = `${path} (libsql)`;
  const module = (await import("libsql")) as unknown as LibsqlModule;
  return openSyncDriver(name, bind(module, path, name, locking), durability, locking);
}

function bind(module: LibsqlModule, path: string, name: string, locking: Locking): SyncBinding {
  const database = openDatabase(module, path, name);
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => bindStatement(database.prepare(sql)),
    close: () => (locking === "EXCLUSIVE" ? closeDatabase(database) : database.close()),
  };
}

function openDatabase(module: LibsqlModule, path: string, name: string): LibsqlDatabase {
  try {
    return new module.default(path);
  } catch (error) {
    throw openError(error, name);
  }
}

function bindStatement(statement: LibsqlStatement): SyncStatement {
  // Without it, an integer beyond 2^53 is rounded.
  statement.safeIntegers(true);
  return { run: (args) => void statement.run(args), all: (args) => statement.all(args) };
}

/**
 * The native close leaves the file open, and locked, while a statement lives. Leaving WAL gives the lock up for sure;
 * the statements, and with them the file handle, end with the garbage collection.
 */
async function closeDatabase(database: LibsqlDatabase): Promise<void> {
  try {
    database.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL");
    database.exec("SELECT count(*) FROM sqlite_master");
  } catch {
    // Locked by another process or out of order: there is no lock of ours to give up.
  }
  database.close();
  await collect();
}
