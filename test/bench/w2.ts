import { actorLoad, startActors, startClients, startRawEcho } from "./actor_run.ts";
import type { Run } from "./run.ts";

const name = "counter";
const action = "echo";
/** A connection is one actor's: 64 actors have 64. */
const loads = [
  { inFlight: 64, connections: 8, actors: 1, name, action },
  { inFlight: 64, connections: 64, actors: 64, name, action },
] as const;

/** 64 actions that change nothing in flight, to one actor and to 64. */
export async function w2(run: Run): Promise<void> {
  const named = ({ actors }: { readonly actors: number }): string =>
    `64 in flight, ${actors} actor${actors === 1 ? "" : "s"}`;
  const wanted = loads.filter((load) => run.wants(named(load)));
  if (wanted.length === 0) return;
  const clients = await startClients(run, await startActors(run));
  const bare = await startRawEcho(run);
  for (const load of wanted) {
    const ours = actorLoad(run, clients, load);
    await run.measure("W2", named(load), ours, actorLoad(run, bare, load));
  }
}
