import type { SqlMigration } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { SqlDriver, SqlStatement } from "../../ports/sql_driver.ts";
import { told } from "./sql_statements.ts";
import { inTransaction, type TransactionLimit } from "./sql_transaction.ts";

const table = "_roost_migrations";

/**
 * Brings a database to the version that its definition knows: each step in one transaction with word of it.
 * @throws ActrError `sqlite.not_configured` for a database of a newer version; what a step fails with.
 */
export async function migrateSql(
  driver: SqlDriver,
  migrations: readonly SqlMigration[],
  limit: TransactionLimit,
): Promise<void> {
  if (migrations.length === 0) return;
  await driver.run(plain(`CREATE TABLE IF NOT EXISTS ${table} (version INTEGER PRIMARY KEY)`));
  const [row] = await driver.all(plain(`SELECT max(version) AS version FROM ${table}`));
  const version = Number(row?.["version"] ?? 0);
  if (version > migrations.length) {
    const message = `the actor's database has version ${version}; its definition knows ${migrations.length} migrations`;
    throw new ActrError("sqlite.not_configured", message);
  }
  for (const [at, step] of migrations.entries()) {
    if (at < version) continue;
    const done = { sql: `INSERT INTO ${table} VALUES (?)`, args: [at + 1] };
    if (typeof step !== "function") await told(() => driver.batch([...step.map(plain), done]));
    else {
      await inTransaction(driver, limit, async (tx) => {
        await step(tx);
        await tx.run(done.sql, ...done.args);
      });
    }
  }
}

function plain(sql: string): SqlStatement {
  return { sql, args: [] };
}
