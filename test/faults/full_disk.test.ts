import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { checkDriver } from "../../adapters/sql/check.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError } from "../../src/errors.ts";
import { localBindings } from "../adapters/sql_bindings.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { row } from "../conformance/store_samples.ts";
import { until } from "../fixtures/until.ts";

const diskBytes = 4 * 2 ** 20;
const payload = new Uint8Array(64 * 1024).fill(7);

/** Why no small disk can be made here, if so. */
const cannotMount: string | false = (() => {
  if (process.platform !== "linux") return "only Linux has tmpfs";
  if (process.getuid?.() !== 0) return "mounting takes root";
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return false;
  } catch {
    return "this machine does not allow mounts";
  }
})();

/** A disk of {@link diskBytes}. */
async function smallDisk() {
  const folder = await temporaryFolder();
  const path = join(folder.path, "disk");
  await mkdir(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", path]);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      execFileSync("umount", ["-l", path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

for (const { name, skip, open } of localBindings) {
  describe(`${name} on a full disk`, { skip: skip || cannotMount }, () => {
    it("refuses typed, says why, loses nothing acknowledged, and works again when there is room", async () => {
      await using disk = await smallDisk();
      const ballast = join(disk.path, "ballast");
      await writeFile(ballast, Buffer.alloc(diskBytes / 2));
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
      await rm(ballast);
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
