import { startActors, startClients } from "./actor_run.ts";
import type { LoadResult } from "./load.ts";
import type { Figures } from "./rounds.ts";
import type { Run } from "./run.ts";
import { median } from "./statistics.ts";

const actors = 100;
const calls = { connections: actors, actors, name: "large", action: "length", each: true };

/** Actors with 10 KB of state, each asleep until the message of a client that is connected wakes it; against the same call awake. */
export async function w4(run: Run): Promise<void> {
  const variant = `${actors} actors`;
  if (!run.wants(variant)) return;
  const host = await startActors(run);
  const clients = await startClients(run, host);
  const figures = async (): Promise<Figures> => {
    const { p50, p99 } = await clients.ask<LoadResult>(calls);
    return { p50, p99 };
  };
  let cold: Figures = {};
  const above: number[] = [];
  const asleep = async (): Promise<Figures> => {
    await host.ask({ sleep: calls.name });
    cold = await figures();
    return cold;
  };
  const awake = async (warmUp: boolean): Promise<Figures> => {
    const warm = await figures();
    if (!warmUp) above.push(((cold["p50"] ?? Number.NaN) - (warm["p50"] ?? Number.NaN)) / 1000);
    return warm;
  };
  await run.measure("W4", variant, asleep, awake);
  run.count("W4", variant, "above_warm", median(above), null);
}
