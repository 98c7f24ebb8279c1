import { ActrError } from "../../src/errors.ts";
import type { SqlDriver, SqlRow, SqlStatement } from "../../src/ports/sql_driver.ts";

/** The one row of table `meta`: who owns the database and how it was left. Its columns never change. */
export interface Meta {
  /** Version of all other tables; 0 when there are none. */
  readonly schema: number;
  readonly fence: number;
  /** Who holds the lease; null when nobody does. */
  readonly owner: string | null;
  /** End of the lease, Unix milliseconds. */
  readonly expiresAt: number;
  readonly clean: boolean;
  /** No seq above this was ever used. */
  readonly seqReserved: number;
}

const metaTable = [
  `CREATE TABLE IF NOT EXISTS meta (
    one INTEGER PRIMARY KEY CHECK (one = 1), schema INTEGER NOT NULL, fence INTEGER NOT NULL, owner TEXT,
    expires_at INTEGER NOT NULL, clean INTEGER NOT NULL, seq_reserved INTEGER NOT NULL)`,
  "INSERT OR IGNORE INTO meta VALUES (1, 0, 0, NULL, 0, 1, 0)",
];

/**
 * Step n takes a database from version n to n + 1. Never edit one that was released; append.
 * Version 1: a mailbox row is written once and deleted once; what changes while it waits (claim, attempts, delay)
 * lives in `delivery`, since an update of a row rewrites its payload too.
 * Version 2: pages and counts by priority, dead letters by category and trace, and the number of the last transaction
 * of each owner.
 * Version 3: answers by number, so that one is appended to the end of one table and forgotten at its beginning; they
 * are looked up in memory alone.
 */
const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE mailbox (
      seq INTEGER PRIMARY KEY, id TEXT NOT NULL, sender BLOB NOT NULL, priority INTEGER NOT NULL,
      enqueued_at INTEGER NOT NULL, payload BLOB NOT NULL)`,
    `CREATE TABLE delivery (
      seq INTEGER PRIMARY KEY, claimed INTEGER NOT NULL, attempts INTEGER NOT NULL, not_before INTEGER NOT NULL)`,
    `CREATE TABLE dead_letter (
      id TEXT PRIMARY KEY, message_id TEXT, sender BLOB, receiver BLOB, raw_bytes BLOB NOT NULL, reason TEXT NOT NULL,
      category TEXT NOT NULL, trace_id TEXT NOT NULL, request_id TEXT, created_at INTEGER NOT NULL,
      redrive_attempts INTEGER NOT NULL, last_redrive_at INTEGER, context TEXT)`,
    "CREATE INDEX dead_letter_age ON dead_letter (created_at)",
    `CREATE TABLE answer (
      caller TEXT NOT NULL, request_id TEXT NOT NULL, expires_at INTEGER NOT NULL, response BLOB NOT NULL,
      PRIMARY KEY (caller, request_id)) WITHOUT ROWID`,
    "CREATE INDEX answer_expiry ON answer (expires_at)",
    `CREATE TABLE record (
      space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID`,
  ],
  [
    "CREATE INDEX mailbox_priority ON mailbox (priority)",
    "CREATE INDEX dead_letter_category ON dead_letter (category, created_at)",
    "CREATE INDEX dead_letter_trace ON dead_letter (trace_id)",
    "CREATE TABLE commit_mark (fence INTEGER PRIMARY KEY, number INTEGER NOT NULL)",
  ],
  [
    "DROP INDEX answer_expiry",
    "ALTER TABLE answer RENAME TO keyed_answer",
    `CREATE TABLE answer (
      seq INTEGER PRIMARY KEY, caller TEXT NOT NULL, request_id TEXT NOT NULL, expires_at INTEGER NOT NULL,
      response BLOB NOT NULL)`,
    `INSERT INTO answer (caller, request_id, expires_at, response)
      SELECT caller, request_id, expires_at, response FROM keyed_answer ORDER BY expires_at`,
    "DROP TABLE keyed_answer",
  ],
];

/** Version of the tables that this release reads and writes. */
export const schemaVersion: number = migrations.length;

/** Reads `meta`, after making it in a new database. @throws ActrError `storage` for a file of a newer release. */
export async function readMeta(driver: SqlDriver): Promise<Meta> {
  const known = await peekMeta(driver);
  if (known !== undefined) return known;
  await driver.batch(metaTable.map(plain));
  return (await peekMeta(driver)) ?? toMeta({});
}

/** Reads `meta`; undefined in a new database. @throws ActrError `storage` for a file of a newer release. */
export async function peekMeta(driver: SqlDriver): Promise<Meta | undefined> {
  const found = await driver.all({
    sql: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'",
    args: [],
  });
  if (found.length === 0) return undefined;
  const [row] = await driver.all({ sql: "SELECT * FROM meta", args: [] });
  const meta = toMeta(row ?? {});
  if (meta.schema <= schemaVersion) return meta;
  throw new ActrError(
    "storage",
    `${driver.name} has schema version ${meta.schema}, this release knows ${schemaVersion}; use the newer release, or another file`,
  );
}

/** Brings the tables from version `from` to {@link schemaVersion}, one transaction per step, each under `guard`. */
export async function migrate(driver: SqlDriver, from: number, guard: SqlStatement): Promise<void> {
  for (const [index, step] of migrations.slice(from).entries()) {
    const version = { sql: "UPDATE meta SET schema = ?", args: [from + index + 1] };
    await driver.batch([...step.map(plain), version], guard);
  }
}

function plain(sql: string): SqlStatement {
  return { sql, args: [] };
}

function toMeta(row: SqlRow): Meta {
  const owner = row["owner"];
  return {
    schema: Number(row["schema"]),
    fence: Number(row["fence"]),
    owner: typeof owner === "string" ? owner : null,
    expiresAt: Number(row["expires_at"]),
    clean: row["clean"] === 1,
    seqReserved: Number(row["seq_reserved"]),
  };
}
