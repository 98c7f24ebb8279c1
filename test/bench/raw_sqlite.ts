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

/** Opens a file with the binding and the pragmas that our store takes, and nothing of ours between; `binding` is its name. */
export async function openRawSqlite(
  path: string,
): Promise<{ readonly database: RawSqlite; readonly binding: string }> {
  const { module, binding } = await load();
  const database = new (module.DatabaseSync ?? module.default)(path);
  database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE mailbox (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, sender BLOB NOT NULL,
      priority INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, payload BLOB NOT NULL);
    CREATE TABLE answer (seq INTEGER PRIMARY KEY, caller TEXT NOT NULL, request_id TEXT NOT NULL,
      expires_at INTEGER NOT NULL, response BLOB NOT NULL)`);
  return { database, binding };
}

async function load(): Promise<{ readonly module: Module; readonly binding: string }> {
  for (const binding of ["node:sqlite", "libsql"]) {
    const module = await import(binding).catch(() => undefined);
    if (module !== undefined) return { module, binding };
  }
  throw new Error("neither node:sqlite nor libsql is here");
}
