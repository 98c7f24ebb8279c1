import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { killDrivers } from "./kill_drivers.ts";
import { killSeries } from "./kill_series.ts";
import { killPoints } from "./killing_driver.ts";

/** A successor waits for the rest of a lease, and at once has what a lock of the operating system held. */
const killsOf = { leased: 2, locked: 4 };

describe("a store under kill -9", () => {
  for (const driver of killDrivers) {
    const kills = driver.leased ? killsOf.leased : killsOf.locked;
    describe(driver.name, { skip: driver.skip, concurrency: 4 }, () => {
      for (const point of ["any time", ...killPoints] as const) {
        const when = point === "any time" ? point : `${point} a commit`;
        it(`loses, doubles, holds and breaks nothing over ${kills} kills at ${when}`, {
          timeout: 120_000,
        }, async () => {
          const random = new SeededRandom(Date.now() & 0xffff);
          // A writer killed at any time may have done nothing yet: then the series proves nothing, and another follows.
          let done = 0;
          for (let series = 0; done === 0 && series < 6; series++) {
            const { acknowledged, ...tally } = await killSeries({ driver, point, kills, random });
            assert.deepEqual(tally, { kills, lost: 0, doubled: 0, stuck: 0, corrupt: 0 });
            if (driver.remote || point !== "any time") return;
            done = acknowledged;
          }
          assert.ok(done > 0, "the writers did no work");
        });
      }
    });
  }
});
