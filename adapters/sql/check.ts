import type { SqlDriver, SqlRow } from "../../src/ports/sql_driver.ts";
import { type OpenDriverOptions, openDriver } from "./open.ts";
import { peekMeta, schemaVersion } from "./schema.ts";

/** What is wrong with a database of a store, if anything, and what it holds. */
export interface StoreReport {
  /** Version of its tables; 0 for an empty database. */
  readonly schema: number;
  /** Version that this release reads and writes; an older one is brought up to date when the store is opened. */
  readonly knownSchema: number;
  /** Whether its last owner closed it. */
  readonly clean: boolean;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** One sentence each; empty when all is well. */
  readonly problems: readonly string[];
}

/** Tables that hold contents. */
const tables = ["mailbox", "delivery", "dead_letter", "answer", "record"] as const;

/** Findings that must be empty: what they mean, and how many there are. */
const invariants: readonly (readonly [string, string])[] = [
  [
    "claims of messages that are gone; the next start removes them",
    "SELECT count(*) AS n FROM delivery WHERE seq NOT IN (SELECT seq FROM mailbox)",
  ],
  [
    "messages beyond the reserved numbers; their numbers may be given twice",
    "SELECT count(*) AS n FROM mailbox, meta WHERE seq > seq_reserved",
  ],
  [
    "messages of unknown priority",
    "SELECT count(*) AS n FROM mailbox WHERE priority NOT IN (0, 1)",
  ],
  [
    "deliveries with impossible counts",
    "SELECT count(*) AS n FROM delivery WHERE claimed NOT IN (0, 1) OR attempts < 0 OR not_before < 0",
  ],
  ["message ids that occur twice", "SELECT count(*) - count(DISTINCT id) AS n FROM mailbox"],
  ["records without a key", "SELECT count(*) AS n FROM record WHERE space = '' OR key = ''"],
];

/** Settings of {@link checkStore}. */
export interface CheckStoreOptions extends OpenDriverOptions {
  /** Skips the comparison of indexes with their tables, which reads everything twice. @default false */
  readonly quick?: boolean;
}

/**
 * Checks the database of a store at rest, without changing anything in it.
 * @throws ActrError `storage` when it cannot be opened, another process has it open, or it is of a newer release.
 */
export async function checkStore(
  url: string,
  { quick = false, ...options }: CheckStoreOptions = {},
): Promise<StoreReport> {
  const driver = await openDriver(url, options);
  try {
    return await checkDriver(driver, quick);
  } finally {
    await driver.close();
  }
}

/** As {@link checkStore}, on a database that is open. */
export async function checkDriver(driver: SqlDriver, quick: boolean = false): Promise<StoreReport> {
  const problems = await pageProblems(driver, quick);
  const meta = await peekMeta(driver);
  const { schema = 0, clean = true } = meta ?? {};
  const rows: Record<string, number> = {};
  if (schema > 0) {
    for (const table of tables) {
      rows[table] = await count(driver, `SELECT count(*) AS n FROM ${table}`);
    }
    for (const [meaning, sql] of invariants) {
      const found = await count(driver, sql);
      if (found > 0) problems.push(`${found} ${meaning}`);
    }
  }
  return { schema, knownSchema: schemaVersion, clean, rows, problems };
}

/** What SQLite itself says; `ok` alone when all is well. */
async function pageProblems(driver: SqlDriver, quick: boolean): Promise<string[]> {
  const sql = quick ? "PRAGMA quick_check" : "PRAGMA integrity_check";
  const rows = await driver.all({ sql, args: [] });
  return rows.map(firstColumn).filter((text) => text !== "ok");
}

function firstColumn(row: SqlRow): string {
  return String(Object.values(row)[0]);
}

async function count(driver: SqlDriver, sql: string): Promise<number> {
  const [row] = await driver.all({ sql, args: [] });
  return Number(row?.["n"] ?? 0);
}
