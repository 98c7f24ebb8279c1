import assert from "node:assert/strict";
import { rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { checkDriver } from "../../adapters/sql/check.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError } from "../../src/errors.ts";
import { localBindings } from "../adapters/sql_bindings.ts";
import { row } from "../conformance/store_samples.ts";
import { until } from "../fixtures/until.ts";
import { cannotMount, diskBytes, smallDisk } from "./small_disk.ts";

const payload = new Uint8Array(64 * 1024).fill(7);

for (const { name, skip, open } of localBindings) {
  describe(`${name} on a full disk`, { skip: skip || cannotMount }, () => {
    it("refuses typed, says why, loses nothing acknowledged, and works again when there is room", async () => {
      await using disk = await smallDisk();
      const file = join(disk.path, "store.db");
      const options = { clock: systemClock(), random: new SeededRandom() };
      const store = await openSqlStore(await open(file), options, AbortSignal.timeout(10_000));
      const put = (seq: number) =>
        store.commit([{ kind: "mailbox.put", row: row(seq, { payload }) }]);
      const written: number[] = [];
      let refusal: unknown;
      let seq = 0;
      while (refusal === undefined) {
        seq += 1;
        await put(seq).then(
          () => written.push(seq),
          (error) => {
            refusal = error;
          },
        );
      }
      assert.ok(ActrError.is(refusal) && refusal.code === "storage", String(refusal));
      assert.equal(refusal.details?.["fault"], "database");
      assert.match(store.fault ?? "", /full/);
      assert.ok(written.length > 3, `${written.length} rows were written`);
      const seqs = async () => (await store.mailboxRows(0, 999)).map((each) => each.seq);
      assert.deepEqual(await seqs(), written);

      const { bavail, bsize } = await statfs(disk.path);
      assert.ok(bavail * bsize < diskBytes / 4);
      await rm(disk.ballast);
      await until("the store is well again", () => store.fault === undefined, 10_000);
      await put(seq + 1);
      written.push(seq + 1);
      assert.deepEqual(await seqs(), written);
      await store.close();
      const driver = await open(file);
      assert.deepEqual((await checkDriver(driver)).problems, []);
      await driver.close();
    });
  });
}
