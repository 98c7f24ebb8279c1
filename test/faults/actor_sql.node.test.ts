import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../adapters/client.ts";
import { serverDatabases } from "../../adapters/sql/server_databases.ts";
import type { ActorsOf } from "../../src/actor_client.ts";
import { Sqld, sqldMissing } from "../fixtures/sqld.ts";
import { until } from "../fixtures/until.ts";
import { PlacementNodes } from "./placement_nodes.ts";
import type { WritingApp } from "./sql_node.ts";

const leaseMs = 1500;
const limitMs = 60_000;

describe("an actor's database on a server that nodes share", { skip: sqldMissing }, () => {
  it("takes nothing from a node any more that was paused past its lease", async () => {
    await using databases = await Sqld.start({ namespaces: true });
    const program = "sql_node.ts";
    await using nodes = await PlacementNodes.start({ nodes: 2, leaseMs, program, databases });
    await using peer = await connect<WritingApp>(nodes.identity);
    const writerBy = (at: number): ReturnType<ActorsOf<WritingApp>["writer"]["get"]> =>
      peer.context.actors<WritingApp>(nodes.ids[at], { timeoutMs: 30_000 }).writer.get("a");

    await writerBy(0).begin();
    const { id, node } = await writerBy(0).where();
    const home = nodes.ids.indexOf(node);
    const heir = 1 - home;
    await using database = await rowsOf(databases, id);
    await until("it writes", async () => (await database.count()) > 5, limitMs);
    nodes.stop(home);
    // From here on it lives elsewhere, though nobody has asked for its database there.
    assert.deepEqual(await writerBy(heir).where(), { id, node: nodes.ids[heir] });
    const rows = await database.count();
    nodes.goOn(home);
    assert.ok(["lease_lost", "sqlite.closed"].includes(await nodes.line<string>(home)));
    assert.equal(await database.count(), rows);
  });
});

/** Looks at an actor's database from outside. */
async function rowsOf(databases: Sqld, id: string) {
  const { adminUrl = "" } = databases;
  const driver = await serverDatabases({ url: databases.url("http"), adminUrl }).open(id);
  return {
    async count(): Promise<number> {
      const [row] = await driver.all({ sql: "SELECT count(*) AS rows FROM rows", args: [] });
      return Number(row?.["rows"]);
    },
    [Symbol.asyncDispose]: async () => await driver.close(),
  };
}
