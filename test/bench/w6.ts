import { type Serving, startActors, startClients } from "./actor_run.ts";
import type { Figures } from "./rounds.ts";
import type { Run } from "./run.ts";
import type { WorkerProcess } from "./worker_process.ts";

const sockets = 200;
/** Broadcasts a second that the ramp begins with; each step says a third more. */
const firstRate = 100;
const rampStep = 4 / 3;
const highestRate = 20_000;
/** What may be missing when the time of a step is up. */
const kept = 0.95;
/** How long a step of the ramp goes on, and what it has for the rest, milliseconds. */
const stepMs = 400;
const restMs = 50;

interface Heard {
  readonly heard: number;
  /** Microseconds. */
  readonly p99: number;
}

interface Room {
  readonly server: WorkerProcess<Serving>;
  readonly clients: WorkerProcess;
}

/** A room of 200 sockets: 100 bytes at 100 a second, then ever more often until not all of it arrives in time. */
export async function w6(run: Run): Promise<void> {
  const steady = `room of ${sockets}, ${firstRate} a second`;
  const ramp = `room of ${sockets}, ramp`;
  if (!run.wants(steady) && !run.wants(ramp)) return;
  const server = await startActors(run);
  const ours = await enter(server, await startClients(run, server));
  const script = "workers/raw_room.ts";
  const bareServer = await run.start<Serving>({ script, built: true, core: 0 });
  const bare = await enter(bareServer, await startClients(run, bareServer, true));
  if (run.wants(steady)) {
    const ms = run.options.seconds * 1000;
    const figures = (room: Room) => async (): Promise<Figures> => {
      const { p99, heard } = await say(room, firstRate, ms);
      return { p99, delivered_per_second: (heard / ms) * 1000 };
    };
    await run.measure("W6", steady, figures(ours), figures(bare));
  }
  if (!run.wants(ramp)) return;
  const highest = (room: Room) => async (warmUp: boolean) => ({
    delivered_per_second: await climb(room, warmUp ? 500 : highestRate),
  });
  await run.measure("W6", ramp, highest(ours), highest(bare));
}

async function enter(server: WorkerProcess<Serving>, clients: WorkerProcess): Promise<Room> {
  await clients.ask({ name: "room", connections: sockets, actors: 1, listen: "said" });
  return { server, clients };
}

async function say({ server, clients }: Room, perSecond: number, ms: number): Promise<Heard> {
  await clients.ask<Heard>({ heard: true });
  await server.ask<number>({ say: { perSecond, ms } });
  await new Promise((resolve) => setTimeout(resolve, restMs));
  return await clients.ask<Heard>({ heard: true });
}

/** What is delivered a second at the highest rate that is kept. */
async function climb(room: Room, most: number): Promise<number> {
  let best = 0;
  for (let rate = firstRate; rate <= most; rate *= rampStep) {
    const { heard } = await say(room, rate, stepMs);
    const asked = (rate * sockets * stepMs) / 1000;
    if (heard < kept * asked) break;
    best = (heard / stepMs) * 1000;
  }
  // What is still on its way belongs to no later step.
  for (let more = 1; more > 0; ) {
    await new Promise((resolve) => setTimeout(resolve, restMs));
    more = (await room.clients.ask<Heard>({ heard: true })).heard;
  }
  return best;
}
