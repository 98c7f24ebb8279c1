import { describe, it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { checkTallies, driversHere, killOnEveryDriver, timesOf } from "./kill_series.ts";

const rounds = 2;
const kills = driversHere.length * timesOf.store.length * rounds;

describe("a store under kill -9", () => {
  it(`loses, doubles, holds and breaks nothing over ${kills} kills`, {
    timeout: 400_000,
  }, async () => {
    const random = new SeededRandom(Date.now() & 0xffff);
    checkTallies("store", rounds, await killOnEveryDriver("store", rounds, random));
  });
});
