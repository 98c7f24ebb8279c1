import { checkDriver } from "../../adapters/sql/check.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { freePort } from "../fixtures/ports.ts";
import { HostLoad } from "./host_load.ts";
import type { HostLine, HostNodeOptions } from "./host_protocol.ts";
import type { KillTime } from "./kill_switch.ts";
import { countKill, emptyTally, type Tally } from "./kill_tally.ts";
import type { KillSeriesOptions } from "./store_series.ts";
import { Victim, type VictimEnd } from "./victim.ts";

/** Longest life of a node that is killed from outside, once it has opened its store, milliseconds. */
const longestRunMs = 400;
/** Most times that a node passes the point of its end before. */
const mostPasses = 24;
/** What a successor waits for at most, where no lock of the operating system ends with the process. */
const leaseMs = 800;

/** Kills nodes with actors on one store one after the other, under load, and examines what they leave. */
export async function hostSeries(options: KillSeriesOptions): Promise<Tally> {
  const { driver, times } = options;
  await using folder = await temporaryFolder();
  await using place = await driver.place(folder.path);
  const tally = emptyTally();
  const host = new MortalHost(options, place.location, await freePort());
  try {
    for (const time of times) {
      // One that lost its lease was not killed: another takes its place.
      while (!countKill(tally, await host.live(time)));
    }
    await host.settle(tally);
  } finally {
    host.load?.abandon();
  }
  const database = await driver.open(place.location);
  tally.corrupt += (await checkDriver(database)).problems.length;
  await database.close();
  return tally;
}

/** One host through all its lives, and those who send to it. */
class MortalHost {
  /** From the first time that the node is ready. */
  load: HostLoad | undefined;
  readonly #options: KillSeriesOptions;
  readonly #location: string;
  readonly #port: number;

  constructor(options: KillSeriesOptions, location: string, port: number) {
    this.#options = options;
    this.#location = location;
    this.#port = port;
  }

  /** A life that is meant to end at `time`. */
  async live(time: KillTime): Promise<VictimEnd> {
    const { random } = this.#options;
    // The first life is spared until it is ready: there would be nothing to lose; most of the others, to be at work.
    const from = this.load === undefined || random.next() < 0.7 ? "ready" : "opened";
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

  /** A life in peace: everything sent is answered, everything accepted done, and the store closed. */
  async settle(tally: Tally): Promise<void> {
    for (;;) {
      let examined = false;
      const examine = async (): Promise<void> => {
        await this.load?.end();
        await this.#examine(tally);
        examined = true;
        victim.signal("SIGTERM");
      };
      let failed: (error: unknown) => void = () => {};
      const failure = new Promise<never>((_, reject) => {
        failed = reject;
      });
      const victim = this.#start("any time", (line) => {
        if (line.ready !== undefined) examine().catch(failed);
      });
      const end = await Promise.race([victim.ended, failure]);
      if (end === "stopped" && examined) return;
    }
  }

  async #examine(tally: Tally): Promise<void> {
    const { load } = this;
    if (load === undefined) return;
    const outcomes = await load.outcomes();
    tally.acknowledged = load.acknowledged;
    tally.twice = load.wrongAnswers;
    tally.lost = 0;
    for (const { lost, twice, torn, again } of outcomes) {
      tally.lost += lost;
      tally.twice += twice;
      tally.corrupt += torn ? 1 : 0;
      tally.redelivered += again;
    }
  }

  #start(time: KillTime, onLine: (line: HostLine) => void): Victim<HostLine> {
    const { driver, random } = this.#options;
    const options: HostNodeOptions = {
      driver: driver.name,
      location: this.#location,
      port: this.#port,
      time,
      passing: Math.floor(random.next() * mostPasses),
      leaseMs,
    };
    return new Victim<HostLine>("./host_node.ts", options, (line) => {
      if (line.ready !== undefined) this.load ??= new HostLoad(this.#port);
      onLine(line);
    });
  }
}
