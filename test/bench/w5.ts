import { join } from "node:path";
import { storeIn } from "./actor_run.ts";
import type { LoadResult } from "./load.ts";
import type { Run } from "./run.ts";

const actors = 10_000;
const inFlight = 64;
/** What a new actor leaves on disk: where it is, who it is, its state. */
const rowsEach = 3;

interface Memory {
  readonly perSecond: number;
  /** Bytes of an actor. */
  readonly live: number;
  readonly asleep: number;
}

/** Actors that are touched once, in a process of their own: what they hold awake and asleep, and how fast they are made. */
export async function w5(run: Run): Promise<void> {
  const variant = `${actors} actors`;
  if (!run.wants(variant)) return;
  const figures = async () => {
    const setup = { store: storeIn(run) };
    const script = "workers/actor_memory.ts";
    const { profile: profileTo } = run.options;
    const options = { script, built: true, core: 0, setup, exposeGc: true, profileTo };
    const host = await run.start(options);
    const { perSecond, live, asleep } = await host.ask<Memory>({ actors, inFlight });
    await host[Symbol.asyncDispose]();
    return { per_second: perSecond, live: live / 1024, asleep: asleep / 1024 };
  };
  await run.measure("W5", variant, figures, async () => {
    const setup = { file: join(run.folder(), "raw.db"), rows: rowsEach * inFlight };
    const script = "workers/raw_counter.ts";
    const raw = await run.start({ script, built: true, core: 0, setup });
    const { perSecond } = await raw.ask<LoadResult>({ ms: 500, inFlight: 1, bytes: 0 });
    await raw[Symbol.asyncDispose]();
    return { per_second: perSecond * inFlight };
  });
}
