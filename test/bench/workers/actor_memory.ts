/** A host without a wire: how fast actors are made, and what they hold in memory. */
import process from "node:process";
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { openStore } from "../../../adapters/sql/open.ts";
import { systemClock } from "../../../adapters/system_clock.ts";
import { systemRandom } from "../../../adapters/system_random.ts";
import { ActorHost } from "../../../src/host/actor_host.ts";
import { asPromise } from "../../../src/host/turns/command.ts";
import { defaultNodeOptions } from "../../../src/options.ts";
import { counter } from "../bench_actors.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

interface Question {
  readonly actors: number;
  readonly inFlight: number;
}

const { store: url } = workerSetup<{ readonly store: string }>();
const [clock, random, log] = [systemClock(), systemRandom(), silentLogger()];
const signal = new AbortController().signal;
const store = await openStore(url, { clock, random, durability: "full" }, signal);
const node = (): never => {
  throw new TypeError("this host has no node");
};
const host = new ActorHost(
  { counter },
  { clock, random, log, store, node },
  { ...defaultNodeOptions.actors, maxAwake: 1e6 },
);
host.start();

function add(key: string): Promise<unknown> {
  const target = { name: "counter", key: [key], create: { input: undefined } };
  return asPromise((answer) => host.act(target, { name: "add", args: [], answer }));
}

const { gc, Bun: bun } = globalThis as {
  readonly gc?: () => void;
  readonly Bun?: { gc(force: boolean): void };
};

/** What is left when all garbage is gone, bytes. */
async function heap(): Promise<number> {
  for (let again = 0; again < 3; again += 1) {
    gc?.();
    bun?.gc(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().heapUsed;
}

/** Makes actors, so many at once; how many a second. */
async function make(actors: number, inFlight: number): Promise<number> {
  const began = performance.now();
  let next = 0;
  const maker = async (): Promise<void> => {
    while (next < actors) await add(`${actors} ${next++}`);
  };
  await Promise.all(Array.from({ length: inFlight }, maker));
  return (actors / (performance.now() - began)) * 1000;
}

async function sleep(actors: number): Promise<void> {
  const all = await host.list("counter", actors);
  await Promise.all(all.map(({ id }) => host.stop(id, "sleep")));
}

/** Actors that come and go before the count: what compiled code and caches take is no actor's. */
const first = 1000;

async function ask({ actors, inFlight }: Question): Promise<unknown> {
  await make(first, inFlight);
  await sleep(first);
  const before = await heap();
  const perSecond = await make(actors, inFlight);
  const live = ((await heap()) - before) / actors;
  await sleep(first + actors);
  return { perSecond, live, asleep: ((await heap()) - before) / actors };
}

await workerLoop({ ready: null, ask, close: async () => {} });
