import { stat } from "node:fs/promises";
import { ActrError } from "../../src/errors.ts";
import type { SqlDriver, SqlRow } from "../../src/ports/sql_driver.ts";
import { filePath, isServer, type OpenDriverOptions, openDriver } from "./open.ts";
import { openReadOnly } from "./read_only.ts";
import { peekMeta, schemaVersion } from "./schema.ts";

/** What is wrong with a database of a store, if anything, and what it holds. */
export interface StoreReport {
  /** Version of its tables; 0 for an empty database. */
  readonly schema: number;
  /** Version that this release reads and writes; an older one is brought up to date when the store is opened. */
  readonly knownSchema: number;
  /** Whether its last owner closed it. */
  readonly clean: boolean;
  /** Who has it, or had it when it ended without closing; null when nobody does. */
  readonly owner: string | null;
  /** End of the owner's lease, Unix milliseconds; 0 when there was none. Says nothing of a local file, which the system locks. */
  readonly leaseEndsAt: number;
  /** How often it was taken over. */
  readonly fence: number;
  /** Rows by table; none where pages are damaged. */
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
 * Checks the database of a store, without changing anything in it; with `syncUrl` the server's, since the file is
 * only a copy. A server may be in use meanwhile.
 * @throws ActrError `not_found` for a file that is not there; `storage` when it cannot be opened, another process has
 * the file (`details.inUse`), or it is of a newer release.
 */
export async function checkStore(
  url: string,
  { quick = false, syncUrl, ...options }: CheckStoreOptions = {},
): Promise<StoreReport> {
  const target = syncUrl ?? url;
  const driver = isServer(target)
    ? await openDriver(target, options)
    : await openReadOnly(await existing(filePath(target)));
  try {
    return await checkDriver(driver, quick);
  } finally {
    await driver.close();
  }
}

async function existing(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) return path;
  throw new ActrError("not_found", `there is no file ${path}; the first start of a node makes it`);
}

/** As {@link checkStore}, on a database that is open. */
export async function checkDriver(driver: SqlDriver, quick: boolean = false): Promise<StoreReport> {
  const problems = await pageProblems(driver, quick);
  const meta = await peekMeta(driver);
  const { schema = 0, clean = true, owner = null, expiresAt = 0, fence = 0 } = meta ?? {};
  const rows: Record<string, number> = {};
  if (schema > 0 && problems.length === 0) {
    for (const table of tables) {
      rows[table] = await count(driver, `SELECT count(*) AS n FROM ${table}`);
    }
    for (const [meaning, sql] of invariants) {
      const found = await count(driver, sql);
      if (found > 0) problems.push(`${found} ${meaning}`);
    }
  }
  const lease = { owner, leaseEndsAt: owner === null ? 0 : expiresAt, fence };
  return { schema, knownSchema: schemaVersion, clean, ...lease, rows, problems };
}

/** What SQLite itself says; `ok` alone when all is well. */
async function pageProblems(driver: SqlDriver, quick: boolean): Promise<string[]> {
  const sql = quick ? "PRAGMA quick_check" : "PRAGMA integrity_check";
  const rows = await driver.all({ sql, args: [] });
  // Some bindings give all findings in one text, under a heading.
  const texts = rows.flatMap((row) => firstColumn(row).split("\n"));
  return texts.filter((text) => text !== "ok" && !text.startsWith("***"));
}

function firstColumn(row: SqlRow): string {
  return String(Object.values(row)[0]);
}

async function count(driver: SqlDriver, sql: string): Promise<number> {
  const [row] = await driver.all({ sql, args: [] });
  return Number(row?.["n"] ?? 0);
}
