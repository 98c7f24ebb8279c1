/**
 * `npm run faults -- [--kills N] [--driver NAME]… [--seed N]`: kills processes that write to a store, N in all,
 * shared out over drivers and points of death, and prints what came of it. Fails unless everything but the kills is 0.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { pooledMap } from "#async";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { type KillDriver, killDrivers } from "./kill_drivers.ts";
import { emptyTally, killSeries, type Tally } from "./kill_series.ts";
import { killPoints } from "./killing_driver.ts";

/** Kills of one database; then a fresh one takes its place, so that a long run does not slow down. */
const killsPerDatabase = 25;
const atOnce = 3;

type Point = (typeof points)[number];
const points = ["any time", ...killPoints] as const;

interface Series {
  readonly driver: KillDriver;
  readonly point: Point;
  readonly kills: number;
}

/** The work of a run, driver by driver. */
function plan(drivers: readonly KillDriver[], kills: number): Series[] {
  const ways = drivers.flatMap((driver) => points.map((point) => ({ driver, point })));
  return ways.flatMap((way, index) => {
    const share = Math.floor(kills / ways.length) + (index < kills % ways.length ? 1 : 0);
    const databases = Math.ceil(share / killsPerDatabase);
    return Array.from({ length: databases }, (_, n) => ({
      ...way,
      kills: Math.min(killsPerDatabase, share - n * killsPerDatabase),
    }));
  });
}

const columns = ["kills", "acknowledged", "lost", "doubled", "stuck", "corrupt"] as const;

function printTable(sums: ReadonlyMap<string, Tally>): void {
  const line = (name: string, cells: readonly (string | number)[]): void =>
    console.log(name.padEnd(34) + cells.map((cell) => String(cell).padStart(14)).join(""));
  line(`driver, point (${thisRuntime})`, columns);
  for (const [name, tally] of sums)
    line(
      name,
      columns.map((column) => tally[column]),
    );
}

function add(sum: Tally, tally: Tally): void {
  for (const column of columns) sum[column] += tally[column];
}

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    driver: { type: "string", multiple: true },
    seed: { type: "string", default: String(Date.now() % 100_000) },
  },
});
const kills = Number(values.kills);
if (!Number.isInteger(kills) || kills < 1) {
  console.error(`--kills ${values.kills} is not a whole number of at least 1`);
  process.exit(2);
}
const wanted = killDrivers.filter(({ name }) => values.driver?.includes(name) ?? true);
for (const { name, skip } of wanted) if (skip !== false) console.log(`skipped ${name}: ${skip}`);
const drivers = wanted.filter(({ skip }) => skip === false);
if (drivers.length === 0) {
  console.error(`no such driver; there are ${killDrivers.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const random = new SeededRandom(Number(values.seed));
const sums = new Map<string, Tally>();
const total = emptyTally();
const run = async (series: Series): Promise<void> => {
  const tally = await killSeries({ ...series, random });
  const name = `${series.driver.name}, ${series.point}`;
  const sum = sums.get(name) ?? emptyTally();
  sums.set(name, sum);
  add(sum, tally);
  add(total, tally);
  console.error(`${total.kills} of ${kills} kills`);
};
for await (const _ of pooledMap(atOnce, plan(drivers, kills), run));
sums.set("all", total);
printTable(sums);
const { lost, doubled, stuck, corrupt } = total;
process.exit(lost + doubled + stuck + corrupt === 0 ? 0 : 1);
