import { describe, it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { checkTallies, driversHere, killOnEveryDriver, timesOf } from "./kill_series.ts";

const rounds = 1;
/** A local file: what the others do is theirs to prove, and `npm run faults` has them all. */
const drivers = driversHere.filter(({ remote, leased }) => !remote && !leased).slice(0, 1);
const kills = drivers.length * timesOf.host.length * rounds;

describe("actors under kill -9", () => {
  it(`lose no entry, alarm or message and do nothing twice over ${kills} kills under load`, {
    timeout: 240_000,
  }, async () => {
    const random = new SeededRandom(Date.now() & 0xffff);
    checkTallies("host", rounds, await killOnEveryDriver("host", rounds, random, drivers));
  });
});
