import { join } from "node:path";
import { after, before, describe } from "node:test";
import { openLibsqlClient } from "../../adapters/sql/libsql_client.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import { sqlDriverConformance } from "../conformance/sql_driver.ts";
import { storeConformance } from "../conformance/store.ts";
import { Sqld, sqldMissing } from "../fixtures/sqld.ts";
import { sqlStoreFixture } from "./sql_store_fixture.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** A way to a server: its name and what opens it; `folder` is fresh for each test. */
interface Way {
  readonly name: string;
  readonly auth: boolean;
  /** Whether a new client fetches all that was ever written, so that each test deserves a new server. */
  readonly replays: boolean;
  open(server: Sqld, folder: string): Promise<SqlDriver>;
}

const durability = "full";

const ways: readonly Way[] = [
  {
    name: "libSQL server over http",
    auth: false,
    replays: false,
    open: (server) => openLibsqlClient({ url: server.url("http"), durability }),
  },
  {
    name: "libSQL server over http with a token",
    auth: true,
    replays: false,
    open: (server) => openLibsqlClient({ url: server.url("http"), durability, ...token(server) }),
  },
  {
    name: "libSQL server over ws with a token",
    auth: true,
    replays: false,
    open: (server) => openLibsqlClient({ url: server.url("ws"), durability, ...token(server) }),
  },
  {
    name: "embedded replica of a libSQL server",
    auth: false,
    replays: true,
    open: (server, folder) => {
      const url = `file:${join(folder, "replica.db")}`;
      return openLibsqlClient({ url, syncUrl: server.url("http"), durability });
    },
  },
];

for (const way of ways) {
  describe(way.name, { skip: sqldMissing }, () => {
    let server: Sqld;
    before(async () => {
      server = await Sqld.start({ auth: way.auth });
    });
    after(() => server[Symbol.asyncDispose]());

    const fresh = async (): Promise<void> => {
      if (!way.replays) return empty(server);
      await server[Symbol.asyncDispose]();
      server = await Sqld.start({ auth: way.auth });
    };
    storeConformance(way.name, async () => {
      await fresh();
      return sqlStoreFixture((folder) => way.open(server, folder));
    });
    sqlDriverConformance(way.name, async () => {
      await fresh();
      const folder = await temporaryFolder();
      return {
        open: () => way.open(server, folder.path),
        [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
      };
    });
  });
}

function token({ token }: Sqld): { readonly authToken?: string } {
  return token === undefined ? {} : { authToken: token };
}

/** Leaves a server as it was started. */
async function empty(server: Sqld): Promise<void> {
  const driver = await openLibsqlClient({ url: server.url("http"), durability, ...token(server) });
  const tables = await driver.all({
    sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'libsql_%'",
    args: [],
  });
  await driver.batch(tables.map(({ name }) => ({ sql: `DROP TABLE "${name}"`, args: [] })));
  await driver.close();
}
