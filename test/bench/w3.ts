import { join } from "node:path";
import {
  type ActorLoad,
  actorLoad,
  type Serving,
  startActors,
  startClients,
  storeIn,
} from "./actor_run.ts";
import { hasTool } from "./launch.ts";
import type { LoadResult } from "./load.ts";
import type { Figures } from "./rounds.ts";
import type { Run } from "./run.ts";
import { median } from "./statistics.ts";
import { syncsIn } from "./w9.ts";
import { WorkerProcess } from "./worker_process.ts";

const name = "counter";
const action = "add";
/** A connection is one actor's: 64 actors have 64. */
const shared: ActorLoad = { inFlight: 64, connections: 8, actors: 1, name, action };
const spread: ActorLoad = { inFlight: 64, connections: 64, actors: 64, name, action };
const single: ActorLoad = { inFlight: 1, connections: 1, actors: 1, name, action };
/** Calls that are made while fsync is counted, or until the process is killed, take so long, milliseconds. */
const countMs = 1000;

/** A durable counter: each answer leaves when its increment is on disk. */
export async function w3(run: Run): Promise<void> {
  await rates(run);
  for (const load of [shared, spread]) await fsyncs(run, load);
  await killed(run);
}

/** Against counters with a group commit by hand behind a bare `ws` server; one in flight against bare commits. */
async function rates(run: Run): Promise<void> {
  const wanted = [single, shared, spread].filter((load) => run.wants(nameOf(load)));
  if (wanted.length === 0) return;
  const clients = await startClients(run, await startActors(run));
  const setup = { file: join(run.folder(), "raw.db") };
  const script = "workers/raw_counter.ts";
  const options = { script, built: true, core: 0, setup };
  const bare = await run.start<Serving & { readonly binding: string }>(options);
  const bareClients = await startClients(run, bare, true);
  const commits = async (warmUp: boolean): Promise<Figures> => {
    const plan = run.plan({ inFlight: 1, bytes: 0 }, warmUp);
    const { p50, p99, perSecond } = await bare.ask<LoadResult>(plan);
    return { p50, p99, per_second: perSecond };
  };
  for (const load of wanted) {
    const baseline = load === single ? commits : actorLoad(run, bareClients, load);
    const variant = `${nameOf(load)} (${bare.ready.binding})`;
    await run.measure("W3", variant, actorLoad(run, clients, load), baseline);
  }
}

/** Counts real calls of fsync and fdatasync; on runs of their own, since watching slows them down. */
async function fsyncs(run: Run, load: ActorLoad): Promise<void> {
  const variant = `fsync, ${actorsOf(load)}`;
  if (!run.wants(variant)) return;
  if (!hasTool("strace", "--seccomp-bpf", "-f", "-o", "/dev/null", "true")) {
    return run.skip(variant, "there is no strace");
  }
  const traceTo = join(run.folder(), "trace");
  const setup = { store: storeIn(run) };
  const script = "workers/actors.ts";
  const actors = await run.start<Serving>({ script, built: true, setup, traceTo });
  const clients = await startClients(run, actors);
  const question = { ...load, bytes: 0, ms: countMs };
  await clients.ask(question);
  const before = syncsIn(traceTo);
  const { calls } = await clients.ask<LoadResult>(question);
  run.count("W3", variant, "fsync_per_call", (syncsIn(traceTo) - before) / calls, null);
}

/** Kills the process under load; the next one begins with all that was answered, and how soon. */
async function killed(run: Run): Promise<void> {
  const variant = "kill -9";
  if (!run.wants(variant)) return;
  const { runtime } = run;
  const script = "workers/empty.ts";
  const restarts: number[] = [];
  let lost = 0;
  for (let round = 0; round < run.options.rounds; round += 1) {
    const store = storeIn(run);
    const actors = await startActors(run, store);
    const clients = await startClients(run, actors);
    // Connects first: a client that is cut off before it is connected has no load.
    const { calls: before } = await clients.ask<LoadResult>({ ...shared, bytes: 0, ms: 1 });
    const loading = clients.ask<LoadResult>({ ...shared, bytes: 0, ms: 10 * countMs });
    await new Promise((resolve) => setTimeout(resolve, countMs / 2));
    await actors.ask({ die: true }).catch(() => {});
    const calls = before + (await loading).calls;
    const emptyBegan = performance.now();
    const empty = await WorkerProcess.start({ runtime, script, built: true });
    const emptyMs = performance.now() - emptyBegan;
    await empty[Symbol.asyncDispose]();
    const began = performance.now();
    const next = await startActors(run, store);
    const ready = performance.now() - began;
    const again = await startClients(run, next);
    const asked = performance.now();
    const count = await again.ask<number>({ ...single, count: true });
    restarts.push(ready - emptyMs + (performance.now() - asked));
    lost += Math.max(0, calls - count);
  }
  run.count("W3", variant, "lost", lost, null);
  run.count("W3", variant, "restart", median(restarts), null);
}

function nameOf(load: ActorLoad): string {
  return `${load.inFlight} in flight, ${actorsOf(load)}`;
}

function actorsOf({ actors }: ActorLoad): string {
  return `${actors} actor${actors === 1 ? "" : "s"}`;
}
