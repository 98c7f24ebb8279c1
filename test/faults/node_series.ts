import type { Served } from "../../adapters/serve/options.ts";
import { checkDriver } from "../../adapters/sql/check.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import type { Store } from "../../src/ports/store.ts";
import { parseActrId } from "../../src/protocol/ids.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { freePort } from "../fixtures/ports.ts";
import type { KillDriver } from "./kill_drivers.ts";
import type { KillTime } from "./kill_switch.ts";
import { countKill, emptyTally, type Tally } from "./kill_tally.ts";
import { LedgerLoad } from "./ledger_load.ts";
import type { LedgerLine, LedgerNodeOptions } from "./ledger_protocol.ts";
import type { KillSeriesOptions } from "./store_series.ts";
import { Victim, type VictimEnd } from "./victim.ts";

/** Longest life of a node that is killed from outside, once it has opened its store, milliseconds. */
const longestRunMs = 250;
/** Most times that a node passes the point of its end before. */
const mostPasses = 16;
/** What a successor waits for at most, where no lock of the operating system ends with the process. */
const leaseMs = 800;
const pageSize = 1_000;

/** Kills nodes with one store one after the other, under load from `caller`, and examines what they leave. */
export async function nodeSeries(options: KillSeriesOptions, caller: Served): Promise<Tally> {
  const { driver, times } = options;
  await using folder = await temporaryFolder();
  await using place = await driver.place(folder.path);
  const ground = { caller, location: place.location, port: await freePort() };
  const tally = emptyTally();
  const ledger = new Ledger(options, ground, tally);
  try {
    for (const time of times) {
      // One that lost its lease was not killed: another takes its place.
      while (!countKill(tally, await ledger.live(time)));
    }
    await examine(driver, place.location, await ledger.settle(), tally);
  } finally {
    ledger.load?.abandon();
  }
  return tally;
}

/** What all lives of a node have in common. */
interface Ground {
  readonly caller: Served;
  readonly location: string;
  readonly port: number;
}

/** One node through all its lives, and those who send to it. */
class Ledger {
  /** From the first time that the node is ready. */
  load: LedgerLoad | undefined;
  readonly #options: KillSeriesOptions;
  readonly #ground: Ground;
  readonly #tally: Tally;
  #id: string | undefined;

  constructor(options: KillSeriesOptions, ground: Ground, tally: Tally) {
    this.#options = options;
    this.#ground = ground;
    this.#tally = tally;
  }

  /** A life that is meant to end at `time`. */
  async live(time: KillTime): Promise<VictimEnd> {
    const { random } = this.#options;
    // The first life is spared until it is ready: there would be nothing to lose.
    const from = this.load === undefined ? "ready" : "opened";
    const victim = this.#start(time, (line) => {
      if (time === "any time" && from in line) victim.killAfter(random.next() * longestRunMs);
    });
    const { ended } = victim;
    try {
      return await (this.load === undefined ? ended : Promise.race([ended, this.load.failed]));
    } finally {
      victim.signal("SIGKILL");
    }
  }

  /** A life in peace: everything sent is answered, everything accepted handled, and the store closed. */
  async settle(): Promise<LedgerLoad> {
    for (;;) {
      let tellReady = (): void => {};
      const ready = new Promise<void>((resolve) => {
        tellReady = resolve;
      });
      const victim = this.#start("any time", (line) => {
        if (line.ready !== undefined) tellReady();
      });
      await Promise.race([ready.then(() => this.load?.end()), victim.ended]);
      victim.signal("SIGTERM");
      if ((await victim.ended) === "stopped" && this.load !== undefined) return this.load;
    }
  }

  #start(time: KillTime, onLine: (line: LedgerLine) => void): Victim<LedgerLine> {
    const { driver, random } = this.#options;
    const { caller, location, port } = this.#ground;
    const options: LedgerNodeOptions = {
      driver: driver.name,
      location,
      port,
      identity: caller.identity,
      time,
      passing: Math.floor(random.next() * mostPasses),
      leaseMs,
    };
    return new Victim<LedgerLine>("./ledger_node.ts", options, (line) => {
      if (line.opened !== undefined) this.#tally.redelivered += line.opened.recovered;
      if (line.ready !== undefined) this.#meet(line.ready.id);
      onLine(line);
    });
  }

  #meet(id: string): void {
    this.#id ??= id;
    if (id !== this.#id) throw new Error(`the node ${this.#id} came back as ${id}`);
    this.load ??= new LedgerLoad(this.#ground.caller, parseActrId(id));
  }
}

/** Opens what the last node left: effects, messages and the database itself. */
async function examine(
  driver: KillDriver,
  location: string,
  load: LedgerLoad,
  tally: Tally,
): Promise<void> {
  const limit = AbortSignal.timeout(50_000);
  const options = { clock: systemClock(), random: systemRandom(), leaseMs };
  const store = await openSqlStore(await driver.open(location), options, limit);
  checkEffects(await effects(store), load, tally);
  const { total } = await store.deadLetterStats();
  tally.lost += total;
  tally.stuck += (await store.mailboxRows(0, pageSize)).length;
  await store.close();
  const database = await driver.open(location);
  tally.corrupt += (await checkDriver(database)).problems.length;
  await database.close();
}

/** Every entry that was answered took effect once; all effects together are as many as their common counter says. */
function checkEffects(times: ReadonlyMap<string, number>, load: LedgerLoad, tally: Tally): void {
  tally.acknowledged += load.answered.size;
  tally.twice += load.wrongAnswers;
  let sum = 0;
  for (const [key, count] of times) {
    if (key === "position") continue;
    sum += count;
    if (count > 1) tally.twice += 1;
  }
  for (const entry of load.answered) if (!times.has(`entry-${entry}`)) tally.lost += 1;
  if (sum !== (times.get("position") ?? 0)) tally.corrupt += 1;
}

/** What handlers have written: numbers by key. */
async function effects(store: Store): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let after = ""; ; ) {
    const page = await store.records("state", after, pageSize);
    for (const { key, value } of page) {
      found.set(key, new DataView(value.buffer, value.byteOffset).getUint32(0));
    }
    const last = page.at(-1);
    if (last === undefined) return found;
    after = last.key;
  }
}
