import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Serving } from "./actor_run.ts";
import type { LoadResult } from "./load.ts";
import type { Figures } from "./rounds.ts";
import type { Run } from "./run.ts";
import type { Usage } from "./worker_loop.ts";
import type { WorkerProcess } from "./worker_process.ts";

const nodes = 1_000;
const inFlight = 64;
const held = 10_000;
/** What a process has open besides. */
const spareFiles = 500;
/** Opened at a time: a question has to be answered within the patience of who asks. */
const openedAtOnce = 1_000;
const kinds = { registrations: "register", pings: "ping", relays: "relay", discovery: "discover" };

/** A server, and the nodes that it has; these are always on Node. */
interface Side {
  readonly server: WorkerProcess<Serving>;
  readonly clients: WorkerProcess;
}

/** The rendezvous: what it does a second, what each costs it, and what a connection holds. */
export async function w11(run: Run): Promise<void> {
  const wanted = Object.entries(kinds).filter(([name]) => run.wants(variantOf(name)));
  if (wanted.length > 0) {
    const ours = await startRendezvous(run);
    const bare = await startSide(run, "workers/raw_server.ts", { bare: true });
    for (const side of [ours, bare]) await side.clients.ask({ open: nodes });
    for (const [name, kind] of wanted) {
      await run.measure("W11", variantOf(name), loadOf(run, ours, kind), loadOf(run, bare, kind));
    }
  }
  const variant = `${held} connections`;
  if (!run.wants(variant)) return;
  if (openFiles() > held + spareFiles) await connections(run, variant);
  else run.skip(variant, `\`ulimit -n\` has to be above ${held + spareFiles}`);
}

/** How many files and sockets a process may have open. */
function openFiles(): number {
  const limit = execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).trim();
  return limit === "unlimited" ? Number.POSITIVE_INFINITY : Number(limit);
}

function variantOf(name: string): string {
  return `${name}, ${nodes} nodes`;
}

function startRendezvous(run: Run): Promise<Side> {
  const store = `file:${join(run.folder(), "rendezvous.db")}`;
  return startSide(run, "workers/rendezvous.ts", {}, { store });
}

async function startSide(run: Run, script: string, how: object, setup = {}): Promise<Side> {
  const { profile } = run.options;
  const server = await run.start<Serving>({ script, core: 0, setup, profileTo: profile });
  const clients = await run.start({
    script: "workers/signaling_nodes.ts",
    runtime: "node",
    core: 1,
    setup: { ...server.ready, ...how },
  });
  return { server, clients };
}

/** A load with the processor time that the server takes for each answer. */
function loadOf(run: Run, side: Side, kind: string): (warmUp: boolean) => Promise<Figures> {
  return async (warmUp) => {
    const before = await side.server.ask<Usage>("usage");
    const question = { ...run.plan({ inFlight, bytes: 0 }, warmUp), kind };
    const { calls, perSecond, p50, p99 } = await side.clients.ask<LoadResult>(question);
    const after = await side.server.ask<Usage>("usage");
    return { p50, p99, per_second: perSecond, cpu: (after.cpuUs - before.cpuUs) / calls };
  };
}

/** Connections that are held, each of a node that has pinged. */
async function connections(run: Run, variant: string): Promise<void> {
  const { server, clients } = await startRendezvous(run);
  const idle = await server.ask<Usage>("usage");
  const began = performance.now();
  for (let open = openedAtOnce; open <= held; open += openedAtOnce) await clients.ask({ open });
  const seconds = (performance.now() - began) / 1_000;
  await clients.ask({ once: true });
  const { rssMb, cpuUs } = await server.ask<Usage>("usage");
  const count = (metric: string, value: number): void =>
    run.count("W11", variant, metric, value, null);
  count("rss", rssMb);
  count("per_connection", ((rssMb - idle.rssMb) * 1_024) / held);
  count("per_second", held / seconds);
  count("cpu", (cpuUs - idle.cpuUs) / held);
}
