import assert from "node:assert/strict";
import { delay } from "#async";
import { ActrError } from "../../src/errors.ts";
import type { MailboxRow, StoreChange } from "../../src/ports/store.ts";
import type { UseStore } from "./store.ts";
import { row } from "./store_samples.ts";

const put = (each: MailboxRow): StoreChange => ({ kind: "mailbox.put", row: each });
const isStorage = (error: unknown): boolean => ActrError.is(error) && error.code === "storage";

const isDatabaseFault = (error: unknown): boolean =>
  ActrError.is(error) && error.code === "storage" && error.details?.["fault"] === "database";

/** Disks that fail and commits that cannot be written. Stores that cannot be made to fail pass by. */
export function failureCases(use: UseStore): void {
  use(
    "fails typed when the disk does, applies nothing, and goes on",
    async (store, { failNext }) => {
      if (failNext === undefined) return;
      failNext("before");
      const commits = [
        store.commit([
          put(row(1)),
          { kind: "record.put", space: "s", key: "k", value: new Uint8Array(1) },
        ]),
        store.commit([put(row(2))]),
      ];
      const told: (string | undefined)[] = [];
      const forget = store.onFault((fault) => told.push(fault));
      for (const commit of commits) await assert.rejects(commit, isDatabaseFault);
      assert.match(store.fault ?? "", /disk I\/O error/);
      assert.deepEqual(await store.mailboxRows(0, 9), []);
      assert.equal(await store.record("s", "k"), undefined);
      await store.commit([put(row(3))]);
      assert.deepEqual(await store.mailboxRows(0, 9), [row(3)]);
      assert.equal(store.fault, undefined);
      assert.deepEqual(
        told.map((fault) => fault !== undefined),
        [true, false],
      );
      forget();
    },
  );

  use("finds out by itself that writes succeed again", async (store, { failNext, waitMs }) => {
    if (failNext === undefined || waitMs === undefined) return;
    failNext("before");
    await assert.rejects(store.commit([put(row(1))]), isDatabaseFault);
    failNext("before");
    await waitMs(1_000);
    assert.notEqual(store.fault, undefined);
    // Between two ticks of the store's clock a real server needs real time, also for the lease.
    for (let tries = 0; store.fault !== undefined && tries < 1000; tries++) {
      if (tries % 50 === 0) await waitMs(1_000);
      await delay(10);
    }
    assert.equal(store.fault, undefined);
    assert.deepEqual(await store.mailboxRows(0, 9), []);
  });

  use("applies a commit whole when only its confirmation is lost", async (store, fixture) => {
    if (fixture.failNext === undefined) return;
    fixture.failNext("after");
    const commits = [store.commit([put(row(1)), put(row(2))]), store.commit([put(row(3))])];
    for (const commit of commits) {
      if (fixture.remote === true) await commit;
      else await assert.rejects(commit, isStorage);
    }
    assert.deepEqual(await store.mailboxRows(0, 9), [row(1), row(2), row(3)]);
  });

  use(
    "isolates a commit that cannot be written from its neighbours",
    async (store, { failNext }) => {
      if (failNext === undefined) return;
      const broken = row(2, {
        payload: "no bytes" as unknown as Uint8Array,
        id: null as unknown as string,
      });
      const good = store.commit([put(row(1))]);
      const bad = store.commit([
        { kind: "record.put", space: "s", key: "k", value: new Uint8Array(1) },
        put(broken),
      ]);
      const after = store.commit([put(row(3)), { kind: "mailbox.claim", seq: 1 }]);
      await assert.rejects(bad, isStorage);
      await Promise.all([good, after]);
      assert.deepEqual(await store.mailboxRows(0, 9), [row(1), row(3)]);
      assert.equal(await store.record("s", "k"), undefined);
    },
  );
}
