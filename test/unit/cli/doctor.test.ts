import assert from "node:assert/strict";
import { copyFile, open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { StoreReport } from "../../../adapters/sql/check.ts";
import { openDriver, openStore } from "../../../adapters/sql/open.ts";
import { schemaVersion } from "../../../adapters/sql/schema.ts";
import { systemClock } from "../../../adapters/system_clock.ts";
import { systemRandom } from "../../../adapters/system_random.ts";
import type { Store } from "../../../src/ports/store.ts";
import { type TemporaryFolder, temporaryFolder } from "../../adapters/temporary_folder.ts";
import { letter, row } from "../../conformance/store_samples.ts";
import { roost } from "./support.ts";

interface Finding {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly mend?: string;
  readonly store?: StoreReport;
}

/** What doctor says of a store, its last finding. */
async function findingOf(...args: string[]): Promise<Finding & { readonly code: number }> {
  const { code, out } = await roost(["doctor", "--json", "--store", ...args]);
  const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: Finding[] };
  assert.equal(ok, code === 0);
  assert.ok(!findings.some(({ name }) => name.startsWith("port")), "no port was asked for");
  const found = findings.at(-1);
  assert.ok(found);
  return { ...found, code };
}

const bytesOf = async (folder: string): Promise<string[]> => {
  const names = (await readdir(folder)).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), "base64")));
  return names.map((name, at) => `${name} ${files[at]}`);
};

describe("roost doctor --store", () => {
  let folder: TemporaryFolder;
  let file = "";
  const at = (name: string) => join(folder.path, name);
  const openFile = (path: string): Promise<Store> =>
    openStore(
      `file:${path}`,
      { clock: systemClock(), random: systemRandom() },
      AbortSignal.timeout(60_000),
    );
  before(async () => {
    folder = await temporaryFolder();
    file = at("node.db");
    await using store = await openFile(file);
    const rows = Array.from({ length: 300 }, (_, n) => row(n + 1));
    await store.commit([
      ...rows.map((each) => ({ kind: "mailbox.put", row: each }) as const),
      { kind: "deadLetter.put", letter: letter(1) },
    ]);
  });
  after(() => folder[Symbol.asyncDispose]());

  it("tells what is in a store at rest and how it was left, and changes nothing", async () => {
    const before = await bytesOf(folder.path);
    const { code, status, detail, store } = await findingOf(file);
    assert.deepEqual([code, status], [0, "ok"]);
    assert.match(detail, /^whole; 300 messages, 1 dead letters, 0 answers, 0 records; closed in/);
    assert.deepEqual([store?.schema, store?.owner], [schemaVersion, null]);
    const { out } = await roost(["doctor", "--store", file, "--quick"]);
    assert.match(out, /\n✔ store file:.*node\.db: whole; 300 messages/);
    assert.deepEqual(await bytesOf(folder.path), before);
  });

  it("names who ended without closing it", async () => {
    const store = await openFile(file);
    for (const part of ["", "-wal"]) await copyFile(`${file}${part}`, `${at("left.db")}${part}`);
    await store.close();
    const { code, detail } = await findingOf(at("left.db"));
    assert.equal(code, 0);
    assert.match(detail, /its last owner, process \d+ on .*, ended without closing it; the next/);
  });

  it("fails for a file in use, a damaged one, one of a newer release and one that is no database", async () => {
    const store = await openFile(file);
    const inUse = await findingOf(file);
    await store.close();
    assert.deepEqual([inUse.code, inUse.status], [1, "failed"]);
    assert.match(inUse.detail, /another process has it open/);
    assert.match(inUse.mend ?? "", /roost mailbox --url/);

    await copyFile(file, at("damaged.db"));
    const handle = await open(at("damaged.db"), "r+");
    const { size } = await handle.stat();
    for (let page = 3; page < size / 4096; page += 3) {
      await handle.write(Buffer.alloc(400, 0xee), 0, 400, page * 4096 + 50);
    }
    await handle.close();
    const damaged = await findingOf(at("damaged.db"));
    assert.equal(damaged.code, 1);
    assert.match(damaged.detail, /problems: .*; and \d+ more$|malformed/);
    assert.match(damaged.mend ?? "", /go back to a copy; or take what can be read/);

    await copyFile(file, at("newer.db"));
    const driver = await openDriver(`file:${at("newer.db")}`, {});
    await driver.run({ sql: "UPDATE meta SET schema = ?", args: [schemaVersion + 1] });
    await driver.close();
    const newer = await findingOf(at("newer.db"));
    assert.equal(newer.code, 1);
    assert.match(newer.detail, /this release knows \d+; use the newer release/);

    await writeFile(at("text.db"), "no database here ".repeat(500));
    const text = await findingOf(at("text.db"));
    assert.deepEqual([text.code, /not a database/.test(text.detail)], [1, true]);
  });

  it("tells a file that is not there from one that is empty, and makes neither", async () => {
    const missing = await findingOf(at("none.db"));
    assert.deepEqual([missing.code, missing.status], [0, "missing"]);
    assert.match(missing.detail, /there is no file .*none\.db; the first start of a node makes it/);
    await writeFile(at("empty.db"), "");
    assert.match((await findingOf(at("empty.db"))).detail, /^empty; the first start/);
    assert.equal((await readFile(at("empty.db"))).length, 0);
    assert.ok(!(await readdir(folder.path)).includes("none.db"));
    assert.match((await findingOf(":memory:")).detail, /nothing is kept/);
  });

  it("says what to check when no server answers, and 2 to what is no store", async () => {
    const { code, mend } = await findingOf("http://127.0.0.1:1");
    assert.deepEqual(
      [code, /server runs there, and ROOST_STORE_TOKEN/.test(mend ?? "")],
      [1, true],
    );
    assert.equal((await roost(["doctor", "--store", "mysql://x"])).code, 2);
  });
});
