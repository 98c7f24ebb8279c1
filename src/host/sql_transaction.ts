import type { SqlStatements } from "../actor.ts";
import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { SqlDriver, SqlStatement } from "../ports/sql_driver.ts";
import { withinLimit } from "../time_limit.ts";
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
 * @throws ActrError `timed_out`, `sqlite.not_configured` where a server does the work; what `work` throws.
 */
export async function inTransaction<T>(
  driver: SqlDriver,
  { clock, ms, signal }: TransactionLimit,
  work: (tx: SqlStatements) => T | Promise<T>,
): Promise<T> {
  if (driver.remote) {
    const message =
      "a database of a server has no transactions that wait for code; use c.sql.batch";
    throw new ActrError("sqlite.not_configured", message);
  }
  await driver.run(plain("BEGIN IMMEDIATE"));
  const tx = new TransactionStatements(driver);
  try {
    const result = await withinLimit(clock, { what, ms, signal }, async () => await work(tx));
    tx.end();
    await told(() => driver.run(plain("COMMIT")));
    return result;
  } catch (error) {
    tx.end();
    await rollBack(driver);
    throw error;
  }
}

async function rollBack(driver: SqlDriver): Promise<void> {
  try {
    await driver.run(plain("ROLLBACK"));
  } catch {
    // SQLite has rolled back by itself.
  }
}

function plain(sql: string): SqlStatement {
  return { sql, args: [] };
}
