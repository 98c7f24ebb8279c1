import { openLibsqlClient } from "../../adapters/sql/libsql_client.ts";
import { openLibsqlSync } from "../../adapters/sql/libsql_sync.ts";
import { hasNodeSqlite, openNodeSqlite } from "../../adapters/sql/node_sqlite.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";

/** A driver over a local file, and why it does not run here, if so. */
export interface LocalBinding {
  readonly name: string;
  readonly skip: string | false;
  open(path: string): Promise<SqlDriver>;
}

const foreign = "Deno" in globalThis || "Bun" in globalThis;

/** Every driver for local files. */
export const localBindings: readonly LocalBinding[] = [
  {
    name: "node:sqlite",
    skip: (await hasNodeSqlite()) ? false : "this runtime has no node:sqlite",
    open: (path) => openNodeSqlite(path, "full"),
  },
  {
    name: "libsql",
    skip: foreign ? "for Node only: elsewhere its close does not close" : false,
    open: (path) => openLibsqlSync(path, "full"),
  },
  {
    name: "@libsql/client file",
    skip: false,
    open: (path) => openLibsqlClient({ url: `file:${path}`, durability: "full" }),
  },
];
