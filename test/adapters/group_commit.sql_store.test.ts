import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import type { Effects } from "../../adapters/sql/effects.ts";
import { GroupCommit } from "../../adapters/sql/group_commit.ts";
import { ActrError } from "../../src/errors.ts";
import type { StoreChange } from "../../src/ports/store.ts";
import { row } from "../conformance/store_samples.ts";

/** A group commit over a disk that answers when told to. */
function slowDisk(limits = { maxPendingChanges: 3, maxPendingBytes: 100 }) {
  const clock = new FakeClock();
  const writes: { readonly seqs: number[]; end(error?: Error): void }[] = [];
  const write = (effects: Effects): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      writes.push({ seqs: [...effects.puts.keys()], end });
    });
  return { clock, writes, group: new GroupCommit(write, clock, limits) };
}

const put = (seq: number, size = 0): StoreChange[] => [
  { kind: "mailbox.put", row: row(seq, { payload: new Uint8Array(size) }) },
];
const fault = (which: string) => new ActrError("storage", which, { details: { fault: which } });

describe("group commit", () => {
  it("collects the next group while one is being written, and writes them one at a time", async () => {
    const { clock, writes, group } = slowDisk();
    const first = group.commit(put(1));
    await clock.settle();
    const others = [group.commit(put(2)), group.commit(put(3))];
    await clock.settle();
    assert.deepEqual(
      writes.map(({ seqs }) => seqs),
      [[1]],
    );
    assert.equal(group.pending.length, 2);
    writes[0]?.end();
    await first;
    await clock.settle();
    assert.deepEqual(
      writes.map(({ seqs }) => seqs),
      [[1], [2, 3]],
    );
    writes[1]?.end();
    await Promise.all(others);
    assert.deepEqual(
      group.pending.map(({ puts }) => puts.size),
      [0],
    );
  });

  it("is overloaded by changes or bytes that wait, and recovers", async () => {
    for (const [changes, size] of [
      [3, 1],
      [1, 100],
    ] as const) {
      const { clock, writes, group } = slowDisk();
      const first = group.commit(put(1));
      await clock.settle();
      assert.equal(group.overload, undefined);
      const waiting = Array.from({ length: changes }, (_, n) => group.commit(put(n + 2, size)));
      const overload = group.overload as ActrError | undefined;
      assert.equal(overload?.code, "overloaded");
      assert.ok(overload.retryable && overload.retryAfterMs !== undefined);
      writes[0]?.end();
      await first;
      await clock.settle();
      assert.equal(group.overload, undefined);
      writes[1]?.end();
      await Promise.all(waiting);
    }
  });

  it("settles what was handed over and not what comes later", async () => {
    const { writes, group } = slowDisk();
    const first = group.commit(put(1));
    let settled = false;
    const settling = group.settle().then(() => {
      settled = true;
    });
    assert.deepEqual(
      writes.map(({ seqs }) => seqs),
      [[1]],
    );
    const later = group.commit(put(2));
    assert.equal(settled, false);
    writes[0]?.end();
    await Promise.all([first, settling]);
    writes[1]?.end();
    await later;
    await group.settle();
  });

  it("tries the members of a group alone when one of them is at fault", async () => {
    const { clock, writes, group } = slowDisk();
    const commits = Promise.allSettled([group.commit(put(1)), group.commit(put(2))]);
    await clock.settle();
    writes[0]?.end(fault("statement"));
    await clock.settle();
    writes[1]?.end();
    await clock.settle();
    writes[2]?.end(fault("statement"));
    assert.deepEqual(
      writes.map(({ seqs }) => seqs),
      [[1, 2], [1], [2]],
    );
    assert.deepEqual(
      (await commits).map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
  });

  it("fails with a member at fault those of its line, of its group and of the next, and no others", async () => {
    const { clock, writes, group } = slowDisk({ maxPendingChanges: 100, maxPendingBytes: 100 });
    const [line, other] = [{}, {}];
    const told: unknown[] = [];
    const submit = (seq: number, of?: object): void =>
      group.submit(put(seq), (error) => told.push([seq, error === undefined]), of);
    submit(1, line);
    submit(2, other);
    submit(3, line);
    await clock.settle();
    submit(4, line);
    submit(5, other);
    submit(6);
    let settled = false;
    void group.settle().then(() => {
      settled = true;
    });
    writes[0]?.end(fault("statement"));
    await clock.settle();
    // The first alone is at fault.
    writes[1]?.end(fault("statement"));
    await clock.settle();
    assert.deepEqual(told, [
      [1, false],
      [4, false],
    ]);
    writes[2]?.end();
    await clock.settle();
    assert.equal(settled, false);
    writes[3]?.end();
    await clock.settle();
    assert.ok(settled);
    assert.deepEqual(
      writes.map(({ seqs }) => seqs),
      [[1, 2, 3], [1], [2], [5, 6]],
    );
    assert.deepEqual(told.slice(2), [
      [2, true],
      [3, false],
      [5, true],
      [6, true],
    ]);
    // The line goes on once it was told.
    submit(7, line);
    await clock.settle();
    writes[4]?.end();
    await clock.settle();
    assert.deepEqual(told.at(-1), [7, true]);
  });

  it("fails what was handed over while a write went on that the database fails, and goes on with what comes then", async () => {
    const { clock, writes, group } = slowDisk();
    const first = group.commit(put(1));
    await clock.settle();
    const second = group.commit(put(2));
    const settled = group.settle();
    writes[0]?.end(fault("database"));
    await assert.rejects(first, { code: "storage" });
    await assert.rejects(second, { code: "storage" });
    await settled;
    const third = group.commit(put(3));
    await clock.settle();
    writes[1]?.end();
    await third;
    assert.deepEqual(
      writes.map(({ seqs }) => seqs),
      [[1], [3]],
    );
  });

  it("fails all members when the database is at fault, without another try", async () => {
    const { clock, writes, group } = slowDisk();
    const commits = Promise.allSettled([group.commit(put(1)), group.commit(put(2))]);
    await clock.settle();
    writes[0]?.end(fault("database"));
    assert.deepEqual(
      (await commits).map(({ status }) => status),
      ["rejected", "rejected"],
    );
    assert.equal(writes.length, 1);
  });
});
