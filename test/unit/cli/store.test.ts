import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openStore } from "../../../adapters/sql/open.ts";
import { systemClock } from "../../../adapters/system_clock.ts";
import { systemRandom } from "../../../adapters/system_random.ts";
import { linesOf } from "../../../src/cli/lines.ts";
import type { Store } from "../../../src/ports/store.ts";
import { type TemporaryFolder, temporaryFolder } from "../../adapters/temporary_folder.ts";
import { letter, row } from "../../conformance/store_samples.ts";
import { roost } from "./support.ts";

async function* piecesOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("roost store", () => {
  let folder: TemporaryFolder;
  const at = (name: string) => join(folder.path, name);
  const openFile = (name: string): Promise<Store> =>
    openStore(
      `file:${at(name)}`,
      { clock: systemClock(), random: systemRandom() },
      AbortSignal.timeout(10_000),
    );
  beforeEach(async () => {
    folder = await temporaryFolder();
    await using store = await openFile("a.db");
    await store.commit([
      ...[1, 2, 3].map((seq) => ({ kind: "mailbox.put", row: row(seq) }) as const),
      { kind: "deadLetter.put", letter: letter(1) },
      { kind: "record.put", space: "s", key: "🐓", value: new Uint8Array([0, 255]) },
    ]);
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  it("carries a store to a file of lines and into a new database", async () => {
    const world = { cwd: folder.path };
    const out = await roost(["store", "export", "a.db", "--out", "a.jsonl"], world);
    assert.deepEqual(out, { code: 0, out: `exported 5 entries to ${at("a.jsonl")}`, err: "" });
    const lines = await readFile(at("a.jsonl"), "utf8");
    assert.match(lines, /^\{"kind":"roost\.store","version":\d+\}\n(\{.*\}\n){5}$/);
    const into = await roost(["store", "import", "b.db", "--in", "a.jsonl", "--json"], world);
    const answer = `{"imported":5,"store":"file:${at("b.db")}"}`;
    assert.deepEqual(into, { code: 0, out: answer, err: "" });
    await using store = await openFile("b.db");
    assert.deepEqual(await store.mailboxRows(0, 9), [row(1), row(2), row(3)]);
    assert.deepEqual(await store.deadLetters(9), [letter(1)]);
    assert.deepEqual((await readdir(folder.path)).sort().slice(0, 3), ["a.db", "a.jsonl", "b.db"]);
  });

  it("speaks through pipes, and tells the count beside the lines", async () => {
    const out = await roost(["store", "export", at("a.db")]);
    assert.deepEqual([out.code, out.err], [0, "roost: exported 5 entries"]);
    const input = () => piecesOf(`${out.out}\n`, 7);
    const into = await roost(["store", "import", at("b.db")], { input });
    assert.deepEqual(into, { code: 0, out: `imported 5 entries into file:${at("b.db")}`, err: "" });
    const again = await roost(["store", "export", at("b.db"), "--json"]);
    assert.deepEqual(again, { code: 0, out: out.out, err: '{"exported":5}' });
  });

  it("leaves no half of a file behind when the lines are broken or the reader has gone", async () => {
    const { out } = await roost(["store", "export", at("a.db")]);
    const cut = () => piecesOf(out.slice(0, -9), 64);
    const into = await roost(["store", "import", at("b.db")], { input: cut });
    assert.deepEqual([into.code, into.out], [1, ""]);
    assert.match(into.err, /line 6 of the import is not JSON/);
    assert.deepEqual(await readdir(folder.path), ["a.db"]);
    const drained = () => Promise.reject(new Error("gone"));
    assert.equal((await roost(["store", "export", at("a.db")], { drained })).code, 1);
    await using store = await openFile("a.db");
    assert.equal(store.opened.unclean, false);
  });

  it("overwrites nothing, makes no store by accident, and leaves one in use alone", async () => {
    await writeFile(at("there.jsonl"), "mine");
    const cases: [string[], RegExp][] = [
      [["export", at("a.db"), "--out", at("there.jsonl")], /there\.jsonl exists already; name a/],
      [["export", at("none.db")], /there is no store at .*none\.db/],
      [["import", at("a.db"), "--in", at("there.jsonl")], /is not empty; import into a new file/],
      [["import", at("b.db"), "--in", at("none.jsonl")], /cannot read .*none\.jsonl: /],
      [["export", at("a.db"), "--out", at("a.db/x")], /cannot write .*a\.db\/x\.part: /],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await roost(["store", ...args]);
      assert.equal(code, 1, args.join(" "));
      assert.match(err, message);
    }
    assert.equal(await readFile(at("there.jsonl"), "utf8"), "mine");
    assert.deepEqual((await readdir(folder.path)).sort(), ["a.db", "there.jsonl"]);
    await using _store = await openFile("a.db");
    for (const action of ["export", "import"]) {
      const { code, err } = await roost(["store", action, at("a.db")]);
      assert.equal(code, 1);
      assert.match(err, /^roost: storage: .*another process has it open; stop that process/);
    }
  });

  it("ends with 2 and says what to write when it is misused", async () => {
    const wrong: [string[], RegExp][] = [
      [["store"], /an argument is missing: expected export STORE \| import STORE/],
      [["store", "exprt", "a.db"], /unknown action exprt\. Did you mean export\?/],
      [["store", "drop", "a.db"], /There are export, import\./],
      [["store", "export", "a.db", "--in", "x"], /store export takes no --in/],
      [["store", "import", ":memory:"], /which keeps nothing; name a file/],
      [["store", "export", "mysql://x"], /^roost: STORE is "mysql:\/\/x"; write a path/],
    ];
    for (const [args, message] of wrong) {
      const { code, err } = await roost(args);
      assert.equal(code, 2, args.join(" "));
      assert.match(err, message);
    }
  });

  it("reads lines in pieces of any size", async () => {
    for (const size of [1, 2, 3, 100]) {
      const lines: string[] = [];
      for await (const line of linesOf(piecesOf("a\n\n🐓b\nc", size))) lines.push(line);
      assert.deepEqual(lines, ["a", "", "🐓b", "c"]);
    }
  });
});
