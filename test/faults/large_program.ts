// A node that handles what waits in its store: `large_program.ts STORE`. Tells when it is ready, and when nothing waits any more; lives until it is killed.
import process from "node:process";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { defineNode, service } from "../../src/define.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";
import type { LargeNodeDone, LargeNodeReady } from "./large_node.ts";

let handled = 0;
let misplaced = 0;

const probe = service(ProbeService, {
  handlers: {
    echo: ({ data }) => {
      // The first four bytes number the messages.
      const at = new DataView(data.buffer, data.byteOffset).getUint32(0);
      if (at !== handled) misplaced += 1;
      handled += 1;
      return {};
    },
    wait: () => ({}),
  },
});

const rss = (): number => process.memoryUsage().rss;
const [store = ":memory:"] = process.argv.slice(2);
const { serve } = await adapter();
const app = defineNode({ type: "test:Probe:1.0.0", services: [probe] });
const calledAt = performance.now();
const served = await serve(app, { port: 0, hostname: "127.0.0.1", store, log: silentLogger() });
const readyAt = performance.now();
const { mailbox } = served.node.inbound;
const { queued, inFlight } = mailbox.status();
const ready: LargeNodeReady = {
  readyMs: readyAt - calledAt,
  waiting: queued + inFlight,
  handledBefore: handled,
  rss: rss(),
};
console.log(JSON.stringify(ready));
let peakRss = ready.rss;
await until(
  "an empty mailbox",
  () => {
    peakRss = Math.max(peakRss, rss());
    return mailbox.idle;
  },
  600_000,
);
const drainMs = performance.now() - readyAt;
console.log(JSON.stringify({ handled, misplaced, drainMs, peakRss } satisfies LargeNodeDone));
