// A node whose actors, and their databases, are shared: `sql_node.ts IDENTITY STORE LEASE_MS DATABASES ADMIN`. Says its id
// when it runs, and how its actor's writing ended.
import process from "node:process";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { runningModule } from "../../adapters/running.ts";
import { serverDatabases } from "../../adapters/sql/server_databases.ts";
import { actor, type Sql } from "../../src/actor.ts";
import { defineNode } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { formatActrId } from "../../src/protocol/ids.ts";

/** Writes whatever happens to its node, as code does that goes on after a pause. */
const writer = actor({
  sql: { migrations: [["CREATE TABLE rows (at INTEGER NOT NULL)"]] },
  vars: () => ({ writing: false }),
  options: { noSleep: true },
  actions: {
    /** Begins to write, and does not stop. */
    async begin(c): Promise<void> {
      await insert(c.sql);
      if (!c.vars.writing) c.waitUntil(write(c.sql));
      c.vars.writing = true;
    },
    /** Its own id, and the node that it is on: known without its database. */
    where: (c) => ({ id: c.actorId, node: formatActrId(c.node.selfId) }),
  },
});

const insert = (sql: Sql): Promise<void> => sql.run("INSERT INTO rows VALUES (?)", Date.now());

async function write(sql: Sql): Promise<void> {
  try {
    // Without a pause: the first thing that it does after one of its process is to write.
    for (;;) await insert(sql);
  } catch (error) {
    console.log(JSON.stringify(ActrError.from(error).code));
  }
}

const [identity = "", actorStore = "", leaseMs = "1500", url = "", adminUrl = ""] =
  process.argv.slice(2);

const app = defineNode({
  type: "test:Writing:1.0.0",
  actors: { writer },
  options: { actors: { leaseMs: Number(leaseMs) }, lifecycle: { stopTimeoutMs: 3000 } },
});

/** What the node serves. */
export type WritingApp = typeof app;

const { serve } = await runningModule();
const served = await serve(app, {
  ...{ port: 0, hostname: "127.0.0.1", identity, actorStore, log: silentLogger() },
  databases: serverDatabases({ url, adminUrl }),
});
process.on("SIGTERM", () => void served.stop().then(() => process.exit(0)));
console.log(JSON.stringify(formatActrId(served.id)));
