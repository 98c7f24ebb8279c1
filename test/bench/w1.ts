import { actorLoad, startActors, startClients, startRawEcho } from "./actor_run.ts";
import type { Run } from "./run.ts";

const load = { inFlight: 1, connections: 1, actors: 1, name: "counter", action: "echo" };

/** One client, one actor: actions that change nothing, one after the other, over WebSocket. */
export async function w1(run: Run): Promise<void> {
  const variant = "1 in flight";
  if (!run.wants(variant)) return;
  const clients = await startClients(run, await startActors(run));
  const bare = await startRawEcho(run);
  await run.measure("W1", variant, actorLoad(run, clients, load), actorLoad(run, bare, load));
}
