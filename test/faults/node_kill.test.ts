import { describe, it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { checkTallies, driversHere, killOnEveryDriver, timesOf } from "./kill_series.ts";

const rounds = 2;
const kills = driversHere.length * timesOf.node.length * rounds;

describe("a node under kill -9", () => {
  it(`loses nothing, doubles nothing, forgets no answer over ${kills} kills under load [ND-5] [ND-6]`, {
    timeout: 400_000,
  }, async () => {
    const random = new SeededRandom(Date.now() & 0xffff);
    checkTallies("node", rounds, await killOnEveryDriver("node", rounds, random));
  });
});
