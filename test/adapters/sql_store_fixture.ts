import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import type { Store } from "../../src/ports/store.ts";
import type { StoreFixture } from "../conformance/store.ts";
import { InstrumentedDriver } from "./instrumented_driver.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const leaseMs = 15_000;
const never = new AbortController().signal;

/** A database for one case of the store suite, opened by `open` in a folder of its own. */
export async function sqlStoreFixture(
  open: (folder: string) => Promise<SqlDriver>,
): Promise<StoreFixture> {
  const folder = await temporaryFolder();
  const clock = new FakeClock();
  const random = new SeededRandom();
  const drivers = new Map<Store, InstrumentedDriver>();
  let latest: InstrumentedDriver | undefined;
  const driverOf = (store: Store): InstrumentedDriver => drivers.get(store) as InstrumentedDriver;
  return {
    refusesSecond: true,
    open: async () => {
      const driver = new InstrumentedDriver(await open(folder.path));
      const store = await openSqlStore(driver, { clock, random, leaseMs, leaseWaitMs: 0 }, never);
      latest = driver;
      drivers.set(store, driver);
      return store;
    },
    crash: async (store) => {
      await driverOf(store).cut();
      await clock.advance(leaseMs + 1);
    },
    usurp: async (store) => {
      const sql = "UPDATE meta SET fence = fence + 1, owner = NULL, expires_at = 0";
      await driverOf(store).run({ sql, args: [] });
    },
    waitMs: (ms) => clock.advance(ms),
    transactions: () => latest?.transactions ?? 0,
    failNext: (when) => {
      if (latest !== undefined) latest.next = when;
    },
    get remote() {
      return latest?.remote ?? false;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
