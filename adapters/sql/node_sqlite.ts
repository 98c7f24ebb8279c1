import type { Durability } from "../../src/options.ts";
import type { SqlDriver, SqlValue } from "../../src/ports/sql_driver.ts";
import { openError } from "./sql_errors.ts";
import {
  type Locking,
  openSyncDriver,
  type SyncBinding,
  type SyncStatement,
} from "./sync_driver.ts";

/** The part of `node:sqlite` in use; the types of Node 20 do not know it. */
interface SqliteModule {
  readonly DatabaseSync: new (path: string) => NodeDatabase;
}

interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
  close(): void;
}

interface NodeStatement {
  run(...args: readonly SqlValue[]): unknown;
  all(...args: readonly SqlValue[]): Record<string, unknown>[];
  setReadBigInts(enabled: boolean): void;
}

/** Whether this runtime brings `node:sqlite` (Node 22.13 and later, Deno, Bun). */
export async function hasNodeSqlite(): Promise<boolean> {
  return (await load()) !== undefined;
}

/**
 * Opens a file with `node:sqlite`, for this process alone unless `locking` says otherwise.
 * @throws ActrError `storage` when the runtime lacks the module, another process has the file, or it cannot be used.
 */
export async function openNodeSqlite(
  path: string,
  durability: Durability,
  locking?: Locking,
): Promise<SqlDriver> {
  const module = await load();
  const name = `${path} (node:sqlite)`;
  if (module === undefined) throw openError("this runtime has no node:sqlite", name);
  return openSyncDriver(name, bind(module, path, name), durability, locking);
}

async function load(): Promise<SqliteModule | undefined> {
  // Not a literal, so that bundlers and Node 20 do not look for it before it is wanted.
  const name = "node:sqlite";
  try {
    return await import(name);
  } catch {
    return undefined;
  }
}

function bind(module: SqliteModule, path: string, name: string): SyncBinding {
  const database = openDatabase(module, path, name);
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => bindStatement(database.prepare(sql)),
    close: () => database.close(),
  };
}

function openDatabase(module: SqliteModule, path: string, name: string): NodeDatabase {
  try {
    return new module.DatabaseSync(path);
  } catch (error) {
    throw openError(error, name);
  }
}

function bindStatement(statement: NodeStatement): SyncStatement {
  // Without it, an integer beyond 2^53 throws.
  statement.setReadBigInts(true);
  return { run: (args) => void statement.run(...args), all: (args) => statement.all(...args) };
}
