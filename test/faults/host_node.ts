/**
 * A node whose actors count entries that come by actions, alarms, queues and sockets, made to be killed: from outside at
 * any time, or by itself at one point of its work. Its options, as JSON, name its store and its end. SIGTERM stops it.
 */
import process from "node:process";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { actor, event, type KeyValues, queue } from "../../src/actor.ts";
import { defineNode } from "../../src/define.ts";
import { adapter } from "../fixtures/runtimes.ts";
import type { HostLine, HostNodeOptions, Noted } from "./host_protocol.ts";
import { openKillDriver } from "./kill_drivers.ts";
import { KillSwitch, leaseLostExit, say } from "./kill_switch.ts";
import { KillingDriver } from "./killing_driver.ts";

const options: HostNodeOptions = JSON.parse(process.argv[2] ?? "");
const end = new KillSwitch(options.time, options.passing);

/** Deaths are meant here: nothing is to be given up for them. */
const maxAttempts = 1_000_000;
const maxRetries = 1000;
const retryDelayMs = 20;

interface Counter {
  readonly kv: KeyValues;
  readonly state: { count: number; again: number };
  broadcast(name: "noted", entry: string): void;
}

/** Reads, waits and writes: a torn turn would show. */
async function note(c: Counter, entry: string): Promise<Noted> {
  const times = ((await c.kv.get<number>(entry)) ?? 0) + 1;
  c.kv.put(entry, times);
  c.state.count += 1;
  c.broadcast("noted", entry);
  return { times, position: c.state.count };
}

async function noteOnce(c: Counter, entry: string): Promise<void> {
  if ((await c.kv.get(entry)) === undefined) await note(c, entry);
}

const ledger = actor({
  state: { count: 0, again: 0 },
  events: { noted: event<string>() },
  queues: { jobs: queue<string>({ maxAttempts, retryDelayMs, visibilityMs: 1000 }) },
  // They sleep all the time, so that their clients hibernate and their alarms wake them.
  options: { sleepAfterMs: 30, sleepGraceMs: 500 },
  actionOptions: { entries: { turn: "read" } },
  actions: {
    add: note,
    addOnce: noteOnce,
    later(c, entry: string, ms: number) {
      c.schedule.set({ at: Date.now() + ms, maxRetries, retryDelayMs }, "fired", entry);
    },
    async fired(c, entry: string) {
      if (c.fire !== undefined && c.fire.attempt > 1) c.state.again += 1;
      await note(c, entry);
    },
    totals: (c) => ({ ...c.state }),
    entries: (c, after: string) => c.kv.list<number>({ after, limit: 1000 }),
  },
  async run(c) {
    for await (const job of c.queue.iterate({ completable: true })) {
      if (job.attempt > 1) c.state.again += 1;
      await noteOnce(c, job.body);
      await job.complete();
    }
  },
});

const driver = new KillingDriver(await openKillDriver(options), end);
const { leaseMs } = options;
const store = await openSqlStore(
  driver,
  { clock: systemClock(), random: systemRandom(), leaseMs },
  AbortSignal.timeout(50_000),
);
say({ opened: {} } satisfies HostLine);
void store.lost.then(() => process.exit(leaseLostExit));

const { serve } = await adapter();
const served = await serve(defineNode({ actors: { ledger } }), {
  port: options.port,
  hostname: "127.0.0.1",
  store,
  webrtc: false,
  log: silentLogger(),
});
process.once("SIGTERM", async () => {
  await served.stop();
  await store.close();
  process.exit(0);
});
process.stdin.once("end", () => process.exit(1)).resume();
end.arm();
say({ ready: {} } satisfies HostLine);
