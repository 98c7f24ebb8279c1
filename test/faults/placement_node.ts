// A node whose actors are shared with others: `placement_node.ts IDENTITY STORE LEASE_MS`. Says its id when it runs.
import process from "node:process";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { runningModule } from "../../adapters/running.ts";
import { actor } from "../../src/actor.ts";
import { defineNode } from "../../src/define.ts";
import { formatActrId } from "../../src/protocol/ids.ts";

/** What one life of an actor has done, from its start on one node until that ended. */
export interface Life {
  readonly id: string;
  readonly node: string;
  /** Its changes. */
  changes: number;
}

/** What an actor knows of itself: its lives in their order, each once if it has lived on one node at a time. */
interface Journal {
  count: number;
  readonly lives: Life[];
}

const journal = actor({
  state: (): Journal => ({ count: 0, lives: [] }),
  vars: () => ({ life: crypto.randomUUID() }),
  actions: {
    /** Its number among all changes of this actor. */
    change(c): number {
      const { lives } = c.state;
      const last = lives.at(-1);
      if (last?.id === c.vars.life) last.changes += 1;
      else lives.push({ id: c.vars.life, node: formatActrId(c.node.selfId), changes: 1 });
      c.state.count += 1;
      return c.state.count;
    },
    read: (c) => c.state,
  },
});

const [identity = "", actorStore = "", leaseMs = "1500"] = process.argv.slice(2);

const app = defineNode({
  type: "test:Placed:1.0.0",
  actors: { journal },
  options: { actors: { leaseMs: Number(leaseMs) }, lifecycle: { stopTimeoutMs: 3000 } },
});

/** What the node serves. */
export type PlacedApp = typeof app;

const { serve } = await runningModule();
const address = { port: 0, hostname: "127.0.0.1" };
const served = await serve(app, { ...address, identity, actorStore, log: silentLogger() });
process.on("SIGTERM", () => void served.stop().then(() => process.exit(0)));
console.log(JSON.stringify(formatActrId(served.id)));
