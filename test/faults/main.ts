/**
 * `npm run faults`: kills processes that write to a store and whole nodes under load, on every driver and at every
 * point of their work, and prints what came of it. Fails unless everything that must be 0 is.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { pooledMap } from "#async";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { type KillDriver, killDrivers } from "./kill_drivers.ts";
import { driversHere, killSeries, type Level, levels, timesOf } from "./kill_series.ts";
import type { KillTime } from "./kill_switch.ts";
import {
  addTally,
  emptyTally,
  faultsIn,
  formatTallies,
  killsIn,
  type Tally,
} from "./kill_tally.ts";
import { openCaller } from "./ledger_load.ts";

const help = `npm run faults -- [--kills N] [--level store|node|host]… [--driver NAME]… [--seed N]

Kills processes N times in all and prints a table: where they were killed, what they had acknowledged, what the next
one found. lost, twice, stuck and corrupt must be 0; the exit code is 1 if they are not. Ctrl-C prints the table of
what has been done.

--kills N      shared out over levels, drivers and points of death (300)
--level LEVEL  store: a process that writes rows; node: a node under load from a caller; host: a node whose actors
               are under load by actions, alarms, queues and sockets (all)
--driver NAME  ${killDrivers.map(({ name }) => name).join(", ")} (all that run here)
--seed N       repeats the choices of an earlier run, as far as processes can be repeated
--help         this text

On another runtime: \`npx deno run -A --no-check test/faults/main.ts\`, \`npx bun test/faults/main.ts\`.`;

/** Kills on one database; then a fresh one takes its place, so that a long run does not slow down. */
const killsPerDatabase = 24;
const atOnce = 5;

interface Series {
  readonly level: Level;
  readonly driver: KillDriver;
  readonly times: readonly KillTime[];
}

/** The work of a run: every level and driver gets its share, its points of death in turns. */
function plan(wanted: readonly Level[], drivers: readonly KillDriver[], kills: number): Series[] {
  const ways = wanted.flatMap((level) => drivers.map((driver) => ({ level, driver })));
  const series = ways.flatMap(({ level, driver }, index) => {
    const share = Math.floor(kills / ways.length) + (index < kills % ways.length ? 1 : 0);
    const points = timesOf[level];
    const times = Array.from({ length: share }, (_, n) => points[n % points.length] ?? "any time");
    return Array.from({ length: Math.ceil(share / killsPerDatabase) }, (_, n) => ({
      order: n,
      level,
      driver,
      times: times.slice(n * killsPerDatabase, (n + 1) * killsPerDatabase),
    }));
  });
  // Drivers take turns, so that those that wait for leases leave the machine to others.
  return series.sort((a, b) => a.order - b.order);
}

function misuse(message: string): never {
  console.error(message);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    level: { type: "string", multiple: true, default: [...levels] },
    driver: { type: "string", multiple: true, default: killDrivers.map(({ name }) => name) },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}
const kills = Number(values.kills);
if (!Number.isInteger(kills) || kills < 1) {
  misuse(`--kills ${values.kills} is not a whole number of at least 1`);
}
const wanted = levels.filter((level) => values.level.includes(level));
if (wanted.length === 0) misuse(`--level ${values.level} is none of ${levels.join(", ")}`);
for (const { name, skip } of killDrivers)
  if (skip !== false) console.log(`without ${name}: ${skip}`);
const drivers = driversHere.filter(({ name }) => values.driver.includes(name));
if (drivers.length === 0) {
  misuse(`no such driver here; there are ${driversHere.map(({ name }) => name).join(", ")}`);
}

console.log(`${kills} kills on ${thisRuntime}, --seed ${values.seed}`);
const random = new SeededRandom(Number(values.seed));
const began = performance.now();
await using caller = await openCaller();
const sums = new Map<string, Tally>(
  wanted.flatMap((level) => drivers.map(({ name }) => [`${level}, ${name}`, emptyTally()])),
);
const total = emptyTally();
let broken = 0;

const conclude = (): never => {
  console.log(formatTallies(sums));
  process.exit(faultsIn(total) + broken === 0 ? 0 : 1);
};

const run = async ({ level, driver, times }: Series): Promise<void> => {
  const name = `${level}, ${driver.name}`;
  let trouble = "";
  try {
    const tally = await killSeries(level, driver, times, { random, caller });
    addTally(sums.get(name) ?? emptyTally(), tally);
    addTally(total, tally);
    if (faultsIn(tally) > 0) trouble = `; ${name}: ${JSON.stringify(tally)}`;
  } catch (error) {
    broken += 1;
    trouble = `; ${name} did not end: ${String(error)}`;
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  console.error(`${killsIn(total)} of ${kills} kills, ${seconds} s${trouble}`);
};

process.once("SIGINT", conclude);
for await (const _ of pooledMap(atOnce, plan(wanted, drivers, kills), run));
conclude();
