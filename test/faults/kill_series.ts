import assert from "node:assert/strict";
import type { Served } from "../../adapters/serve/options.ts";
import type { Random } from "../../src/ports/random.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { hostSeries } from "./host_series.ts";
import { type KillDriver, killDrivers } from "./kill_drivers.ts";
import { type KillTime, killPoints, storePoints } from "./kill_switch.ts";
import {
  addTally,
  emptyTally,
  faultsIn,
  formatTallies,
  killsIn,
  type Tally,
} from "./kill_tally.ts";
import { openCaller } from "./ledger_load.ts";
import { nodeSeries } from "./node_series.ts";
import { storeSeries } from "./store_series.ts";

/** What is killed: a process that writes to a store, a whole node under calls, or one whose actors are at work. */
export const levels = ["store", "node", "host"] as const;

/** One of {@link levels}. */
export type Level = (typeof levels)[number];

/** Every way in which a process of a level dies. */
export const timesOf: Readonly<Record<Level, readonly KillTime[]>> = {
  store: ["any time", ...storePoints],
  node: ["any time", ...killPoints],
  host: ["any time", ...storePoints],
};

/** The drivers that run here. */
export const driversHere: readonly KillDriver[] = killDrivers.filter(({ skip }) => skip === false);

/** Kills processes that use one database one after the other, and examines what they leave. */
export function killSeries(
  level: Level,
  driver: KillDriver,
  times: readonly KillTime[],
  { random, caller }: { readonly random: Random; readonly caller: Served },
): Promise<Tally> {
  const options = { driver, times, random };
  switch (level) {
    case "store":
      return storeSeries(options);
    case "node":
      return nodeSeries(options, caller);
    case "host":
      return hostSeries(options);
  }
}

/** Kills processes of a level on every driver that runs here, or on some, `rounds` times at each point; what came of it, by driver. */
export async function killOnEveryDriver(
  level: Level,
  rounds: number,
  random: Random,
  drivers: readonly KillDriver[] = driversHere,
): Promise<Map<string, Tally>> {
  await using caller = await openCaller();
  const times = Array.from({ length: rounds }, () => timesOf[level]).flat();
  const run = async (driver: KillDriver): Promise<[string, Tally]> => [
    `${level}, ${driver.name}`,
    await killSeries(level, driver, times, { random, caller }),
  ];
  // All at once: those that wait for a lease leave the machine to the others.
  return new Map(await Promise.all(drivers.map(run)));
}

/** Prints what came of it, and fails unless every kill happened where it was meant to and did no harm. */
export function checkTallies(
  level: Level,
  rounds: number,
  tallies: ReadonlyMap<string, Tally>,
): void {
  const table = formatTallies(tallies);
  console.log(`on ${thisRuntime}\n${table}`);
  const total = emptyTally();
  for (const tally of tallies.values()) addTally(total, tally);
  for (const [name, { kills }] of tallies) {
    for (const time of timesOf[level]) assert.equal(kills[time], rounds, `${name}, ${time}`);
  }
  assert.equal(killsIn(total), tallies.size * timesOf[level].length * rounds, table);
  assert.equal(faultsIn(total), 0, table);
  assert.ok(total.acknowledged > 0, "no work was done");
  // An actor holds a message for a moment only: few kills may find none.
  if (level !== "host") assert.ok(total.redelivered > 0, "nobody died holding a claim");
}
