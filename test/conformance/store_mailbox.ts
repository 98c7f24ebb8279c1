import assert from "node:assert/strict";
import type { UseStore } from "./store.ts";
import { row } from "./store_samples.ts";

/** Rows in, rows out, and what changes while they wait. */
export function mailboxCases(use: UseStore): void {
  for (const [title, size] of [
    ["0 B", 0],
    ["64 KB", 65_536],
    ["1 MB", 2 ** 20],
  ] as const) {
    use(`keeps every field of a row with a payload of ${title}`, async (store, fixture) => {
      const kept = row(7, { payload: new Uint8Array(size).map((_, n) => n % 251) });
      await store.commit([{ kind: "mailbox.put", row: kept }]);
      await store.close();
      await using again = await fixture.open();
      assert.deepEqual(await again.mailboxRows(0, 10), [kept]);
    });
  }

  use("keeps the bytes of a view into a larger buffer", async (store) => {
    const payload = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
    await store.commit([{ kind: "mailbox.put", row: row(1, { payload }) }]);
    const [stored] = await store.mailboxRows(0, 1);
    assert.deepEqual(Array.from(stored?.payload ?? []), [1, 2, 3]);
  });

  use("pages rows by seq, ascending", async (store) => {
    const rows = Array.from({ length: 130 }, (_, n) => row(n * 3 + 1));
    await store.commit(rows.map((each) => ({ kind: "mailbox.put", row: each }) as const));
    assert.deepEqual(await store.mailboxRows(0, 2), rows.slice(0, 2));
    assert.deepEqual(await store.mailboxRows(4, 100), rows.slice(2, 102));
    assert.deepEqual(await store.mailboxRows(388, 100), []);
  });

  use("pages the rows of one priority", async (store) => {
    const rows = Array.from({ length: 9 }, (_, n) => row(n + 1, { priority: n % 3 === 0 ? 1 : 0 }));
    await store.commit(rows.map((each) => ({ kind: "mailbox.put", row: each }) as const));
    const page = async (after: number, limit: number, priority: 0 | 1) =>
      (await store.mailboxRows(after, limit, priority)).map(({ seq }) => seq);
    assert.deepEqual(await page(0, 9, 1), [1, 4, 7]);
    assert.deepEqual(await page(1, 1, 1), [4]);
    assert.deepEqual(await page(0, 3, 0), [2, 3, 5]);
    assert.deepEqual(await page(6, 9, 0), [8, 9]);
  });

  use("ends a page with the row that reaches the bytes asked for", async (store) => {
    const sizes = [10, 20, 5, 400, 1];
    const rows = sizes.map((size, n) => row(n + 1, { payload: new Uint8Array(size), priority: 0 }));
    await store.commit(rows.map((each) => ({ kind: "mailbox.put", row: each }) as const));
    const page = async (after: number, limit: number, bytes: number, priority?: 0 | 1) =>
      (await store.mailboxRows(after, limit, priority, bytes)).map(({ seq }) => seq);
    assert.deepEqual(await page(0, 9, 1), [1]);
    assert.deepEqual(await page(0, 9, 30), [1, 2]);
    assert.deepEqual(await page(0, 9, 31, 0), [1, 2, 3]);
    assert.deepEqual(await page(0, 2, 9_999, 0), [1, 2]);
    assert.deepEqual(await page(2, 9, 100), [3, 4]);
    assert.deepEqual(await page(5, 9, 100), []);
    assert.deepEqual(await page(0, 9, 100, 1), []);
  });

  use("counts rows by priority and what is claimed of them", async (store) => {
    const counts = { queuedNormal: 2, queuedHigh: 1, claimed: 0 };
    assert.deepEqual(await store.mailboxCounts(), { queuedNormal: 0, queuedHigh: 0, claimed: 0 });
    await store.commit([1, 2, 3].map((seq) => ({ kind: "mailbox.put", row: row(seq) }) as const));
    assert.deepEqual(await store.mailboxCounts(), counts);
    const claims = [1, 2, 9].map((seq) => ({ kind: "mailbox.claim", seq }) as const);
    await store.commit(claims);
    assert.deepEqual(await store.mailboxCounts(), { queuedNormal: 1, queuedHigh: 0, claimed: 2 });
    await store.commit([
      { kind: "mailbox.release", seq: 2, attempts: 1, notBefore: 9 },
      { kind: "mailbox.ack", seq: 1 },
    ]);
    assert.deepEqual(await store.mailboxCounts(), { queuedNormal: 1, queuedHigh: 1, claimed: 0 });
  });

  use("acknowledges any number of rows, each once, and unknown ones as nothing", async (store) => {
    const seqs = Array.from({ length: 150 }, (_, n) => n + 1);
    await store.commit(seqs.map((seq) => ({ kind: "mailbox.put", row: row(seq) }) as const));
    await store.commit(seqs.slice(1).map((seq) => ({ kind: "mailbox.ack", seq }) as const));
    await store.commit([
      { kind: "mailbox.ack", seq: 2 },
      { kind: "mailbox.ack", seq: 999 },
    ]);
    assert.deepEqual(await store.mailboxRows(0, 200), [row(1)]);
  });

  use("remembers attempts and delay, given with the row or at its release", async (store) => {
    const early = row(1, { attempts: 3, notBefore: 77 });
    await store.commit([
      { kind: "mailbox.put", row: early },
      { kind: "mailbox.put", row: row(2) },
    ]);
    assert.deepEqual(await store.mailboxRows(0, 1), [early]);
    await store.commit([
      { kind: "mailbox.claim", seq: 2 },
      { kind: "mailbox.release", seq: 2, attempts: 1, notBefore: 88 },
    ]);
    assert.deepEqual(await store.mailboxRows(1, 1), [row(2, { attempts: 1, notBefore: 88 })]);
    await store.commit([{ kind: "mailbox.claim", seq: 2 }]);
    assert.deepEqual(await store.mailboxRows(1, 1), [row(2, { attempts: 1, notBefore: 88 })]);
  });

  use("forgets attempts with the row", async (store) => {
    await store.commit([{ kind: "mailbox.put", row: row(1, { attempts: 2 }) }]);
    await store.commit([{ kind: "mailbox.ack", seq: 1 }]);
    await store.commit([{ kind: "mailbox.put", row: row(2) }]);
    assert.deepEqual(await store.mailboxRows(0, 9), [row(2)]);
  });

  use("refuses a seq that does not ascend, and stores nothing of that commit", async (store) => {
    await store.commit([{ kind: "mailbox.put", row: row(5) }]);
    for (const seq of [5, 4]) {
      const value = new Uint8Array([1]);
      const commit = store.commit([
        { kind: "record.put", space: "s", key: "k", value },
        { kind: "mailbox.put", row: row(seq) },
      ]);
      await assert.rejects(commit, RangeError);
    }
    assert.equal(await store.record("s", "k"), undefined);
    assert.deepEqual(await store.mailboxRows(0, 9), [row(5)]);
  });
}
