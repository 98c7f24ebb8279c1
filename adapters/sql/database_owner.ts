import type { SqlDriver, SqlStatement } from "../../src/ports/sql_driver.ts";

/** One row: the number of whom the database belongs to. */
const table = "_roost_owner";

/** Passes while nobody with a greater number has claimed the database. */
export function ownerGuard(owner: number): SqlStatement {
  return { sql: `SELECT 1 FROM ${table} WHERE number = ?`, args: [owner] };
}

/** Makes `owner` the one that {@link ownerGuard} passes for. @throws ActrError `lease_lost` when a greater number has claimed it. */
export async function claimDatabase(driver: SqlDriver, owner: number): Promise<void> {
  await driver.run({
    sql: `CREATE TABLE IF NOT EXISTS ${table} (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL)`,
    args: [],
  });
  const claim = { sql: `INSERT OR REPLACE INTO ${table} VALUES (1, ?)`, args: [owner] };
  const greater = `SELECT 1 FROM ${table} WHERE number > ?`;
  await driver.batch([claim], { sql: `SELECT 1 WHERE NOT EXISTS (${greater})`, args: [owner] });
}
