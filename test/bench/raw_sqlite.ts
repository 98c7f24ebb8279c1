/** The part of a SQLite binding that the baseline uses. */
export interface RawSqlite {
  exec(sql: string): void;
  prepare(sql: string): RawStatement;
}

/** A prepared statement. */
export interface RawStatement {
  run(...args: readonly unknown[]): unknown;
  all(...args: readonly unknown[]): unknown[];
}

interface Module {
  readonly DatabaseSync?: new (path: string) => RawSqlite;
  readonly default: new (path: string) => RawSqlite;
}

/** Opens a file with the binding and the pragmas that our store takes, and nothing of ours between. */
export async function openRawSqlite(path: string): Promise<RawSqlite> {
  const module = await load("node:sqlite").catch(() => load("libsql"));
  const database = new (module.DatabaseSync ?? module.default)(path);
  database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE mailbox (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, sender BLOB NOT NULL,
      priority INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, payload BLOB NOT NULL)`);
  return database;
}

async function load(name: string): Promise<Module> {
  return await import(name);
}
