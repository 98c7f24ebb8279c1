import type { SqlStatements } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SqlDriver } from "../../ports/sql_driver.ts";
import { withinLimit } from "../../time_limit.ts";
import { TransactionStatements, told } from "./sql_statements.ts";

/** Bounds of a transaction. */
export interface TransactionLimit {
  readonly clock: Clock;
  readonly ms: number;
  /** Rolls it back. */
  readonly signal: AbortSignal;
}

const what = "a transaction (whatever it does is done by its own statements, not by c.sql)";

/**
 * Runs `work` in a transaction, which is committed when it has ended, and rolled back when it throws or its time is up.
 * @throws ActrError `timed_out`, `sqlite.not_configured` where the driver has only batches; what `work` throws.
 */
export async function inTransaction<T>(
  driver: SqlDriver,
  { clock, ms, signal }: TransactionLimit,
  work: (tx: SqlStatements) => T | Promise<T>,
): Promise<T> {
  if (driver.begin === undefined) {
    const message = `${driver.name} has no transactions that wait for code; use c.sql.batch`;
    throw new ActrError("sqlite.not_configured", message);
  }
  const transaction = await driver.begin();
  const tx = new TransactionStatements(transaction);
  try {
    const result = await withinLimit(clock, { what, ms, signal }, async () => await work(tx));
    tx.end();
    await told(() => transaction.commit());
    return result;
  } catch (error) {
    tx.end();
    await transaction.rollBack();
    throw error;
  }
}
