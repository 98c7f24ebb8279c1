import { join } from "node:path";
import type { LoadPlan, LoadResult } from "./load.ts";
import type { Figures } from "./rounds.ts";
import type { Run } from "./run.ts";
import type { WorkerProcess } from "./worker_process.ts";

/** One closed loop of clients over actors. */
export interface ActorLoad extends Pick<LoadPlan, "inFlight"> {
  readonly connections: number;
  readonly actors: number;
  readonly name: string;
  readonly action: string;
}

/** What a process that serves tells. */
export interface Serving {
  readonly port: number;
}

/** Actors with a store in a file of their own, on one core. */
export function startActors(run: Run, store = storeIn(run)): Promise<WorkerProcess<Serving>> {
  const { profile: profileTo } = run.options;
  const script = "workers/actors.ts";
  return run.start({ script, built: true, core: 0, setup: { store }, profileTo });
}

/** A new file for a store. */
export function storeIn(run: Run): string {
  return `file:${join(run.folder(), "actors.db")}`;
}

/** Clients of a process, on another core. */
export function startClients(
  run: Run,
  { ready: { port } }: WorkerProcess<Serving>,
  raw = false,
): Promise<WorkerProcess> {
  const script = "workers/actor_sockets.ts";
  return run.start({ script, built: true, core: 1, setup: { port, raw } });
}

/** A bare `ws` echo, and its clients. */
export async function startRawEcho(run: Run): Promise<WorkerProcess> {
  const script = "workers/raw_server.ts";
  const server = await run.start<Serving>({ script, built: true, core: 0 });
  return await startClients(run, server, true);
}

/** Asks clients for one load. */
export function actorLoad(
  run: Run,
  clients: WorkerProcess,
  load: ActorLoad,
): (warmUp: boolean) => Promise<Figures> {
  return async (warmUp) => {
    const question = { ...load, ...run.plan({ inFlight: load.inFlight, bytes: 0 }, warmUp) };
    const { p50, p99, perSecond } = await clients.ask<LoadResult>(question);
    return { p50, p99, per_second: perSecond };
  };
}
