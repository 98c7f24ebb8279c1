import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { serverDatabases } from "../../adapters/sql/server_databases.ts";
import { checkDatabaseName, type SqlDatabases } from "../../src/ports/sql_databases.ts";
import { sqlDatabasesConformance } from "../conformance/sql_databases.ts";
import { Sqld, sqldMissing } from "../fixtures/sqld.ts";

describe("on a libSQL server", { skip: sqldMissing, timeout: 120_000 }, () => {
  let server: Sqld;
  let places = 0;

  before(async () => {
    server = await Sqld.start({ namespaces: true });
  });
  after(() => server[Symbol.asyncDispose]());

  function databases(): SqlDatabases {
    return serverDatabases({ url: server.url("http"), adminUrl: server.adminUrl ?? "" });
  }

  /** Each test has names of its own. */
  sqlDatabasesConformance("namespaces", async () => {
    const all = databases();
    places += 1;
    const own = (name: string): string => {
      checkDatabaseName(name);
      return `p${places}-${name}`;
    };
    return {
      databases: {
        shared: all.shared,
        open: async (name, owner) => await all.open(own(name), owner),
        delete: async (name) => await all.delete(own(name)),
      },
      [Symbol.asyncDispose]: async () => {},
    };
  });

  it("are refused when the server would give the same to everybody", async () => {
    await using plain = await Sqld.start();
    const url = plain.url("http");
    await assert.rejects(serverDatabases({ url, adminUrl: url }).open("a"), {
      code: "storage",
      message: /has no namespaces; start it with --enable-namespaces/,
    });
  });

  it("are said to be out of reach when the server is", async () => {
    const gone = await Sqld.start({ namespaces: true });
    const place = serverDatabases({ url: gone.url("http"), adminUrl: gone.adminUrl ?? "" });
    await (await place.open("a")).close();
    await gone[Symbol.asyncDispose]();
    await assert.rejects(place.open("b"), { code: "storage", message: /does not answer/ });
  });
});
