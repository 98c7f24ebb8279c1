import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { openLibsqlClient } from "../../adapters/sql/libsql_client.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { ActrError } from "../../src/errors.ts";
import type { SqlRow, SqlStatement } from "../../src/ports/sql_driver.ts";
import type { Store } from "../../src/ports/store.ts";
import { row } from "../conformance/store_samples.ts";
import { InstrumentedDriver } from "./instrumented_driver.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const leaseMs = 9_000;

/** A database that several owners may open, each with a driver of its own. */
async function sharedDatabase() {
  const folder = await temporaryFolder();
  const clock = new FakeClock();
  const random = new SeededRandom();
  const url = `file:${join(folder.path, "shared.db")}`;
  const connect = async () =>
    new InstrumentedDriver(await openLibsqlClient({ url, durability: "normal" }));
  const open = async (
    owner: string,
    leaseWaitMs = 0,
    signal = new AbortController().signal,
    driver?: InstrumentedDriver,
  ) => {
    driver ??= await connect();
    const options = { clock, random, owner, leaseMs, leaseWaitMs };
    return { driver, store: await openSqlStore(driver, options, signal) };
  };
  return { clock, connect, open, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const has = (code: string) => (error: unknown) => ActrError.is(error) && error.code === code;
const put = (store: Store, seq: number) => store.commit([{ kind: "mailbox.put", row: row(seq) }]);

/** A server that says nothing any more, once it is silent. */
class SilentDriver extends InstrumentedDriver {
  silent = false;

  override all(statement: SqlStatement): SqlRow[] | Promise<SqlRow[]> {
    this.#requireAnswer();
    return super.all(statement);
  }

  override batch(statements: readonly SqlStatement[], guard?: SqlStatement): void | Promise<void> {
    this.#requireAnswer();
    return super.batch(statements, guard);
  }

  #requireAnswer(): void {
    const details = { fault: "database" };
    if (this.silent) throw new ActrError("storage", "no answer", { details });
  }
}

it("a store is closed within 5 s, though its server does not tell what it has written", async () => {
  await using folder = await temporaryFolder();
  const clock = new FakeClock();
  const url = `file:${join(folder.path, "silent.db")}`;
  const driver = new SilentDriver(await openLibsqlClient({ url, durability: "normal" }), true);
  const options = { clock, random: new SeededRandom(), leaseMs: 60_000 };
  const store = await openSqlStore(driver, options, new AbortController().signal);
  driver.silent = true;
  let told = false;
  const write = put(store, 1).finally(() => {
    told = true;
  });
  const written = assert.rejects(write, /whether the write took effect could not be learned/);
  const closed = assert.rejects(store.close(), { code: "storage" });
  await clock.advance(4_900);
  assert.equal(told, false);
  await clock.advance(200);
  await Promise.all([written, closed]);
  assert.equal(clock.pending, 0);
});

describe("lease of a shared database", () => {
  it("is renewed for as long as the owner lives", async () => {
    await using db = await sharedDatabase();
    const { store } = await db.open("first");
    await db.clock.advance(10 * leaseMs);
    await assert.rejects(
      db.open("second"),
      /owned by first, whose lease ends in \d+ ms \(2023-11-14T.*Z\); stop/,
    );
    await put(store, 1);
    await store.close();
    assert.equal(db.clock.pending, 0);
  });

  it("is free at once after an orderly end", async () => {
    await using db = await sharedDatabase();
    await (await db.open("first")).store.close();
    const { store } = await db.open("second");
    assert.equal(store.opened.unclean, false);
    await store.close();
  });

  it("is waited for when its owner died", async () => {
    await using db = await sharedDatabase();
    const first = await db.open("first");
    await put(first.store, 1);
    await first.store.commit([{ kind: "mailbox.claim", seq: 1 }]);
    await first.driver.cut();
    const second = db.open("second", leaseMs);
    await db.clock.advance(leaseMs + 1);
    const { store } = await second;
    assert.equal(store.opened.recovered, 1);
    await store.close();
  });

  it("is not taken from an owner that renews it at the last moment", async () => {
    await using db = await sharedDatabase();
    const first = await db.open("first");
    const renew = { sql: "UPDATE meta SET expires_at = ?", args: [db.clock.now() + 9 * leaseMs] };
    await first.driver.run({ sql: "UPDATE meta SET expires_at = 0", args: [] });
    const late = await db.connect();
    const batch = late.batch.bind(late);
    late.batch = async (...args) => {
      await first.driver.run(renew);
      return batch(...args);
    };
    await assert.rejects(db.open("second", 0, undefined, late), /owned by first/);
    await put(first.store, 1);
    await first.store.close();
  });

  it("stops waiting when the open is aborted", async () => {
    await using db = await sharedDatabase();
    const { store } = await db.open("first");
    const abort = new AbortController();
    const second = db.open("second", leaseMs, abort.signal);
    await db.clock.settle();
    abort.abort(new Error("no longer wanted"));
    await assert.rejects(second, /no longer wanted/);
    await store.close();
  });

  it("is lost by an owner that slept through it, whose writes then fail", async () => {
    await using db = await sharedDatabase();
    const sleeper = await db.open("sleeper");
    await put(sleeper.store, 1);
    // Its renewals fail from here on, as those of a paused process do not happen.
    const renewals = failRenewals(sleeper.driver);
    await db.clock.advance(leaseMs + 1);
    renewals.stop();
    assert.match(await sleeper.store.lost, /ran out unrenewed/);
    const { store } = await db.open("heir");
    await assert.rejects(put(sleeper.store, 2), has("lease_lost"));
    await put(store, store.opened.lastSeq + 1);
    await sleeper.store.close();
    assert.equal((await store.mailboxRows(0, 9)).length, 2);
    await store.close();
  });

  it("that cannot be renewed is a fault of an idle store, which heals by itself", async () => {
    await using db = await sharedDatabase();
    const { store, driver } = await db.open("first");
    const faults: (string | undefined)[] = [];
    store.onFault((fault) => faults.push(fault));
    const renewals = failRenewals(driver);
    await db.clock.advance(leaseMs / 3);
    assert.match(store.fault ?? "", /^paused$/);
    await db.clock.advance(leaseMs / 2);
    assert.deepEqual(faults, ["paused"]);
    renewals.stop();
    await db.clock.advance(leaseMs / 9);
    assert.deepEqual(faults, ["paused", undefined]);
    await db.clock.advance(5 * leaseMs);
    await put(store, 1);
    await store.close();
    assert.equal(db.clock.pending, 0);
  });

  it("is lost by an owner that was cut off until another took over", async () => {
    await using db = await sharedDatabase();
    const cutOff = await db.open("cut off");
    const renewals = failRenewals(cutOff.driver);
    await db.clock.advance(leaseMs / 2);
    assert.notEqual(cutOff.store.fault, undefined);
    // The heir's clock is ahead: the lease is over for it, though not for its owner.
    await cutOff.driver.run({ sql: "UPDATE meta SET expires_at = 0", args: [] });
    const { store } = await db.open("heir");
    renewals.stop();
    await db.clock.advance(leaseMs / 9);
    assert.equal(await cutOff.store.lost, "another owner took over");
    await assert.rejects(put(cutOff.store, 1), has("lease_lost"));
    await cutOff.store.close();
    await put(store, store.opened.lastSeq + 1);
    await store.close();
  });

  it("outlives renewals that fail for a while", async () => {
    await using db = await sharedDatabase();
    const { store, driver } = await db.open("first");
    driver.next = "before";
    await db.clock.advance(leaseMs / 3);
    assert.equal(driver.next, "pass");
    await db.clock.advance(5 * leaseMs);
    await put(store, 1);
    await store.close();
  });
});

/** Fails every transaction of a driver until it is stopped. */
function failRenewals(driver: InstrumentedDriver): { stop(): void } {
  const batch = driver.batch;
  driver.batch = () =>
    Promise.reject(new ActrError("storage", "paused", { details: { fault: "database" } }));
  return {
    stop: () => {
      driver.batch = batch;
    },
  };
}
