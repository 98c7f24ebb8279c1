import type { Durability } from "../../src/options.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import { openLibsqlSync } from "./libsql_sync.ts";
import { hasNodeSqlite, openNodeSqlite } from "./node_sqlite.ts";
import type { Locking } from "./sync_driver.ts";

/** Opens a file with the runtime's best SQLite, which works in the calling thread. @throws ActrError `storage`. */
export async function openLocalDriver(
  path: string,
  durability: Durability,
  locking?: Locking,
): Promise<SqlDriver> {
  const open = (await hasNodeSqlite()) ? openNodeSqlite : openLibsqlSync;
  return await open(path, durability, locking);
}
