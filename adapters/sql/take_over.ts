import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { SqlDriver, SqlStatement } from "../../src/ports/sql_driver.ts";
import type { StoreOpened } from "../../src/ports/store.ts";
import { fenceGuard } from "./lease.ts";
import { type Meta, migrate, readMeta, schemaVersion } from "./schema.ts";

/** Owners before us whose last transaction is remembered, for those that have not heard of its outcome. */
const marksKept = 8;

/** Claims of rows that are gone, or never came, are left by writes that failed. */
const unclaim: readonly SqlStatement[] = [
  { sql: "DELETE FROM delivery WHERE seq NOT IN (SELECT seq FROM mailbox)", args: [] },
  { sql: "UPDATE delivery SET claimed = 0, attempts = attempts + 1 WHERE claimed = 1", args: [] },
];

/** Copies a database whose tables have this version. */
export type Backup = (driver: SqlDriver, version: number) => Promise<void>;

/** Who takes a database over, and how patiently. */
export interface TakeOverOptions {
  /** Names this owner to a second one that is refused. */
  readonly owner: string;
  readonly leaseMs: number;
  /** How long to wait for the lease of an owner that may be dead, milliseconds. */
  readonly leaseWaitMs: number;
  readonly signal: AbortSignal;
  /** Copies a database before its tables are changed to a newer version. */
  readonly backup?: Backup;
}

/** What the new owner holds and found. */
export interface TakenOver extends StoreOpened {
  readonly leaseMs: number;
  /** End of the lease, Unix milliseconds. */
  readonly expiresAt: number;
  /** No seq above this was ever used. */
  readonly seqReserved: number;
}

/**
 * Makes this process the owner: waits for a lease to end, raises the fence, migrates the tables, and unclaims what
 * the last owner held.
 * @throws ActrError `storage` when another process owns the database or its schema is newer.
 */
export async function takeOver(
  driver: SqlDriver,
  clock: Clock,
  options: TakeOverOptions,
): Promise<TakenOver> {
  const { meta, expiresAt } = await claimFence(driver, clock, options);
  const fence = meta.fence + 1;
  const guard = fenceGuard(fence);
  if (meta.schema > 0 && meta.schema < schemaVersion) await options.backup?.(driver, meta.schema);
  await migrate(driver, meta.schema, guard);
  const [found] = await driver.all({
    sql: `SELECT (SELECT count(*) FROM delivery JOIN mailbox USING (seq) WHERE claimed = 1) AS recovered,
      (SELECT max(seq) FROM mailbox) AS greatest`,
    args: [],
  });
  await driver.batch([...unclaim, ...marks(fence)], guard);
  return {
    recovered: Number(found?.["recovered"] ?? 0),
    unclean: !meta.clean,
    fence,
    lastSeq: Math.max(meta.seqReserved, Number(found?.["greatest"] ?? 0)),
    leaseMs: options.leaseMs,
    expiresAt,
    seqReserved: meta.seqReserved,
  };
}

/** The row that a {@link NumberedWriter} counts in. */
function marks(fence: number): SqlStatement[] {
  return [
    { sql: "DELETE FROM commit_mark WHERE fence < ?", args: [fence - marksKept] },
    { sql: "INSERT OR REPLACE INTO commit_mark (fence, number) VALUES (?, 0)", args: [fence] },
  ];
}

/** Raises the fence as soon as nobody holds the database; returns `meta` as it was before. */
async function claimFence(
  driver: SqlDriver,
  clock: Clock,
  options: TakeOverOptions,
): Promise<{ readonly meta: Meta; readonly expiresAt: number }> {
  const giveUpAt = clock.monotonic() + options.leaseWaitMs;
  for (;;) {
    options.signal.throwIfAborted();
    const meta = await readMeta(driver);
    const heldMs = driver.exclusive || meta.owner === null ? 0 : meta.expiresAt - clock.now();
    if (heldMs > 0) {
      if (clock.monotonic() + heldMs > giveUpAt) throw inUse(driver, meta, heldMs);
      await clock.sleep(heldMs, { signal: options.signal });
      continue;
    }
    const expiresAt = clock.now() + options.leaseMs;
    if (await raiseFence(driver, meta, options.owner, expiresAt)) return { meta, expiresAt };
  }
}

/** False when another process was quicker, or its owner has renewed the lease. */
async function raiseFence(
  driver: SqlDriver,
  from: Meta,
  owner: string,
  expiresAt: number,
): Promise<boolean> {
  const sql = "UPDATE meta SET fence = fence + 1, owner = ?, expires_at = ?, clean = 0";
  const unchanged = "SELECT 1 FROM meta WHERE fence = ? AND expires_at = ?";
  try {
    const guard = { sql: unchanged, args: [from.fence, from.expiresAt] };
    await driver.batch([{ sql, args: [owner, expiresAt] }], guard);
    return true;
  } catch (error) {
    if (ActrError.from(error).code === "lease_lost") return false;
    throw error;
  }
}

/** Somebody else has the database. */
export function inUse(driver: SqlDriver, meta: Meta, heldMs: number): ActrError {
  return new ActrError(
    "storage",
    `${driver.name} is owned by ${meta.owner}, whose lease ends in ${heldMs} ms (${new Date(meta.expiresAt).toISOString()}); stop that process, wait, or use another database`,
    { retryAfterMs: heldMs, details: { inUse: true } },
  );
}
