import assert from "node:assert/strict";
import { ActrError } from "../../src/errors.ts";
import type { UseStore } from "./store.ts";
import { row } from "./store_samples.ts";

/** What the next process finds, and that there is only one at a time. */
export function recoveryCases(use: UseStore): void {
  use("opens a new store clean and empty", async (store) => {
    assert.deepEqual(store.opened, { recovered: 0, unclean: false, fence: 1, lastSeq: 0 });
  });

  use("tells an orderly end from a crash", async (store, fixture) => {
    await store.close();
    const second = await fixture.open();
    assert.equal(second.opened.unclean, false);
    await fixture.crash(second);
    await using third = await fixture.open();
    assert.equal(third.opened.unclean, true);
    assert.equal(third.opened.fence, 3);
  });

  use("hands claimed rows out again with one attempt more", async (store, fixture) => {
    await store.commit(
      [1, 2, 3, 4].map((seq) => ({ kind: "mailbox.put", row: row(seq) }) as const),
    );
    await store.commit([1, 2, 3].map((seq) => ({ kind: "mailbox.claim", seq }) as const));
    await store.commit([
      { kind: "mailbox.release", seq: 2, attempts: 4, notBefore: 9 },
      { kind: "mailbox.ack", seq: 3 },
    ]);
    await fixture.crash(store);
    const second = await fixture.open();
    const expected = [row(1, { attempts: 1 }), row(2, { attempts: 4, notBefore: 9 }), row(4)];
    assert.equal(second.opened.recovered, 1);
    assert.deepEqual(await second.mailboxRows(0, 9), expected);
    await fixture.crash(second);
    await using third = await fixture.open();
    assert.equal(third.opened.recovered, 0);
    assert.deepEqual(await third.mailboxRows(0, 9), expected);
  });

  use("recovers no claim of a row that is not there", async (store, fixture) => {
    await store.commit([{ kind: "mailbox.claim", seq: 1 }]);
    await fixture.crash(store);
    await using next = await fixture.open();
    assert.equal(next.opened.recovered, 0);
    await next.commit([{ kind: "mailbox.put", row: row(1) }]);
    assert.deepEqual(await next.mailboxRows(0, 9), [row(1)]);
  });

  use("counts attempts over crashes", async (store, fixture) => {
    await store.commit([{ kind: "mailbox.put", row: row(1) }]);
    let current = store;
    for (const attempts of [1, 2, 3]) {
      await current.commit([{ kind: "mailbox.claim", seq: 1 }]);
      await fixture.crash(current);
      current = await fixture.open();
      assert.deepEqual(await current.mailboxRows(0, 9), [row(1, { attempts })]);
    }
    await current.close();
  });

  use("never gives a seq twice, also when its row is gone", async (store, fixture) => {
    await store.commit([{ kind: "mailbox.put", row: row(41) }]);
    await store.commit([{ kind: "mailbox.ack", seq: 41 }]);
    await store.close();
    const second = await fixture.open();
    assert.equal(second.opened.lastSeq, 41);
    await second.commit([{ kind: "mailbox.put", row: row(42) }]);
    await second.commit([{ kind: "mailbox.ack", seq: 42 }]);
    await fixture.crash(second);
    await using third = await fixture.open();
    assert.ok(third.opened.lastSeq >= 42);
    const next = row(third.opened.lastSeq + 1);
    await third.commit([{ kind: "mailbox.put", row: next }]);
    assert.deepEqual(await third.mailboxRows(0, 9), [next]);
  });

  use("writes what was handed over before it closes", async (store, fixture) => {
    const commit = store.commit([{ kind: "mailbox.put", row: row(1) }]);
    await Promise.all([store.close(), commit]);
    await using again = await fixture.open();
    assert.deepEqual(await again.mailboxRows(0, 9), [row(1)]);
  });

  use("closes twice and fails typed afterwards", async (store) => {
    await Promise.all([store.close(), store.close()]);
    await store.close();
    for (const use of [
      () => store.commit([]),
      () => store.mailboxRows(0, 1),
      () => store.answers(0, 1),
      () => store.mailboxCounts(),
      () => store.deadLetter("a"),
      () => store.deadLetters(1),
      () => store.deadLetterStats(),
      () => store.nextSpace(""),
      () => store.record("s", "k"),
      () => store.records("s", "", 1),
    ]) {
      await assert.rejects(use, (error) => ActrError.is(error) && error.code === "storage");
    }
  });

  use("refuses a second owner and leaves the first at work", async (store, fixture) => {
    if (!fixture.refusesSecond) return;
    await assert.rejects(fixture.open(), (error) => {
      assert.ok(ActrError.is(error), String(error));
      assert.equal(error.code, "storage");
      assert.match(error.message, /stop that process/);
      return true;
    });
    await store.commit([{ kind: "mailbox.put", row: row(1) }]);
    await store.close();
    await using next = await fixture.open();
    assert.equal(next.opened.fence, 2);
  });

  use("fails every write of an owner that lost the store, and says so", async (store, fixture) => {
    await store.commit([{ kind: "mailbox.put", row: row(1) }]);
    await fixture.usurp(store);
    const late = () => store.commit([{ kind: "mailbox.ack", seq: 1 }]);
    for (let tries = 0; tries < 2; tries++) {
      await assert.rejects(late, (error) => ActrError.is(error) && error.code === "lease_lost");
    }
    assert.match(await store.lost, /another owner/);
    await store.close();
    await using next = await fixture.open();
    assert.equal(next.opened.unclean, true);
    assert.equal((await next.mailboxRows(0, 9)).length, 1);
  });
}
