import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { Effects } from "../../adapters/sql/effects.ts";
import { GroupCommit } from "../../adapters/sql/group_commit.ts";
import { openStore } from "../../adapters/sql/open.ts";
import { recordsQuery } from "../../adapters/sql/queries.ts";
import { Reads } from "../../adapters/sql/reads.ts";
import { toStatements } from "../../adapters/sql/statements.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import type { StoreChange } from "../../src/ports/store.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const put = (space: string, key: string, byte = 0): StoreChange => ({
  kind: "record.put",
  space,
  key,
  value: Uint8Array.of(byte),
});

const limits = { maxPendingChanges: 1_000, maxPendingBytes: 1_000_000 };

/** Records in a database whose writes never end; what its reads find does not matter. */
function stuck() {
  const clock = new FakeClock();
  const group = new GroupCommit(() => new Promise(() => {}), clock, limits);
  const reads = new Reads({ all: () => [] } as unknown as SqlDriver, group);
  return { clock, group, reads };
}

describe("records in SQL", () => {
  it("are written many at a time, each as it was last", async () => {
    const changes = Array.from({ length: 100 }, (_, n) => put("s", String(n).padStart(3, "0"), n));
    changes.push(put("s", "000", 7), { kind: "record.delete", space: "s", key: "001" });
    // 99 that are put, 32 at most in one statement, and one that is deleted.
    assert.equal(toStatements(new Effects(changes)).length, 3 + 2 + 1);
    await using folder = await temporaryFolder();
    const { signal } = new AbortController();
    const options = { clock: systemClock(), random: new SeededRandom() };
    await using store = await openStore(`file:${join(folder.path, "r.db")}`, options, signal);
    await store.commit([put("s", "001")]);
    await store.commit(changes);
    const rows = await store.records("s", "", 200);
    const expected = Array.from({ length: 100 }, (_, n) => n || 7).filter((n) => n !== 1);
    assert.deepEqual(
      rows.map(({ value }) => value[0]),
      expected,
    );
  });

  it("of one space are read while those of another are written", async () => {
    const { clock, group, reads } = stuck();
    void group.commit([put("a", "1")]);
    await clock.settle();
    void group.commit([put("b", "1")]);
    assert.deepEqual(await reads.listOf("c", recordsQuery("c", "", 9)), []);
  });

  it("of one space are read once those of the same that were handed over are on disk", async () => {
    for (const space of ["a", "b"]) {
      const { clock, group, reads } = stuck();
      void group.commit([put("a", "1")]);
      await clock.settle();
      void group.commit([put("b", "1")]);
      let read = false;
      void reads.listOf(space, recordsQuery(space, "", 9)).then(() => {
        read = true;
      });
      await clock.settle();
      assert.equal(read, false, space);
    }
  });
});
