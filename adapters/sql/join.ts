import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import { type Meta, migrate, readMeta, schemaVersion } from "./schema.ts";
import { inUse, type TakenOver, type TakeOverOptions } from "./take_over.ts";

/** Stands where the name of an owner would: nobody takes such a database over. */
const everybody = "nodes that share it";
/** The year 9999, Unix milliseconds. */
const never = 253_370_764_800_000;

/**
 * Opens a database beside others who have it open, for records alone: whoever writes says what has to hold. Once it is
 * shared it stays so: it has no single owner any more.
 * @throws ActrError `storage` when one process owns the database, or its schema is newer.
 */
export async function join(
  driver: SqlDriver,
  clock: Clock,
  { signal }: Pick<TakeOverOptions, "signal">,
): Promise<TakenOver> {
  const meta = await draw(driver, clock, signal);
  const fence = meta.fence + 1;
  await bringUpToDate(driver, signal);
  const mark = "INSERT INTO commit_mark (fence, number) VALUES (?, 0)";
  await driver.batch([{ sql: mark, args: [fence] }]);
  return {
    recovered: 0,
    unclean: true,
    fence,
    lastSeq: 0,
    leaseMs: never,
    expiresAt: never,
    seqReserved: 0,
  };
}

/** Draws a number that nobody had; returns `meta` as it was before. */
async function draw(driver: SqlDriver, clock: Clock, signal: AbortSignal): Promise<Meta> {
  const sql = "UPDATE meta SET fence = fence + 1, owner = ?, expires_at = ?, clean = 0";
  for (;;) {
    signal.throwIfAborted();
    const meta = await readMeta(driver);
    const heldMs = meta.expiresAt - clock.now();
    if (meta.owner !== null && meta.owner !== everybody && heldMs > 0) {
      throw inUse(driver, meta, heldMs);
    }
    const guard = { sql: "SELECT 1 FROM meta WHERE fence = ?", args: [meta.fence] };
    if (await took(driver.batch([{ sql, args: [everybody, never] }], guard))) return meta;
  }
}

/** Others may do the same at the same time: each step is taken once, by one of them. */
async function bringUpToDate(driver: SqlDriver, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const { schema } = await readMeta(driver);
    if (schema === schemaVersion) return;
    const guard = { sql: "SELECT 1 FROM meta WHERE schema = ?", args: [schema] };
    await took(migrate(driver, schema, guard));
  }
}

/** False when somebody else was quicker. */
async function took(work: void | Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (ActrError.from(error).code === "lease_lost") return false;
    throw error;
  }
}
