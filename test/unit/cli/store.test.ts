import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { FolderDatabases } from "../../../adapters/sql/folder_databases.ts";
import { openStore } from "../../../adapters/sql/open.ts";
import { systemClock } from "../../../adapters/system_clock.ts";
import { systemRandom } from "../../../adapters/system_random.ts";
import { linesOf } from "../../../src/cli/lines.ts";
import { creation } from "../../../src/host/contents.ts";
import type { SqlDriver, SqlStatement } from "../../../src/ports/sql_driver.ts";
import type { Store } from "../../../src/ports/store.ts";
import { type TemporaryFolder, temporaryFolder } from "../../adapters/temporary_folder.ts";
import { letter, row } from "../../conformance/store_samples.ts";
import { roost } from "./support.ts";

async function* piecesOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const sql = (text: string): SqlStatement => ({ sql: text, args: [] });

async function within(
  databases: FolderDatabases,
  name: string,
  work: (driver: SqlDriver) => void | Promise<void>,
): Promise<void> {
  const driver = await databases.open(name);
  try {
    await work(driver);
  } finally {
    await driver.close();
  }
}

describe("roost store", () => {
  let folder: TemporaryFolder;
  const at = (name: string) => join(folder.path, name);
  const openFile = (name: string): Promise<Store> =>
    openStore(
      `file:${at(name)}`,
      { clock: systemClock(), random: systemRandom() },
      AbortSignal.timeout(60_000),
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
  const makeActor = async (file: string, id: string): Promise<void> => {
    await using store = await openFile(file);
    const record = { name: "n", key: ["k"], input: undefined, createdAt: 1, stateVersion: 1 };
    await store.commit(creation(id, record));
  };
  afterEach(() => folder[Symbol.asyncDispose]());

  it("carries a store to a file of lines and into a new database", async () => {
    const world = { cwd: folder.path };
    const out = await roost(["store", "export", "a.db", "--out", "a.jsonl"], world);
    assert.deepEqual(out, { code: 0, out: `exported 5 entries to ${at("a.jsonl")}`, err: "" });
    assert.equal((await stat(at("a.jsonl"))).mode & 0o777, 0o600);
    const lines = await readFile(at("a.jsonl"), "utf8");
    assert.match(
      lines,
      /^\{"kind":"roost\.store","version":\d+\}\n(\{.*\}\n){5}\{"kind":"end","lines":5\}\n$/,
    );
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
    assert.match(into.err, /line 7 of the import is not JSON/);
    const [last] = out.split("\n").slice(-1);
    const whole = () => piecesOf(out.slice(0, -(last?.length ?? 0)), 64);
    const short = await roost(["store", "import", at("b.db")], { input: whole });
    assert.match(short.err, /the import is cut short after line 6/);
    const [header = ""] = out.split("\n");
    const binary = async function* () {
      yield* piecesOf(`${header}\n`, 64);
      yield Uint8Array.of(0xc3, 0x28);
    };
    const strange = await roost(["store", "import", at("b.db")], { input: binary });
    assert.match(strange.err, /^roost: invalid_argument: from line 2 on this is no text in UTF-8/);
    assert.deepEqual(await readdir(folder.path), ["a.db"]);
    const drained = () => Promise.reject(new Error("gone"));
    assert.equal((await roost(["store", "export", at("a.db")], { drained })).code, 1);
    await using store = await openFile("a.db");
    assert.equal(store.opened.unclean, false);
  });

  it("takes the databases of actors along, from and to the folder beside the store", async () => {
    const world = { cwd: folder.path };
    await makeActor("a.db", "some-actor");
    const databases = new FolderDatabases(at("a.db.actors"), "normal");
    await within(databases, "some-actor", (driver) => driver.run(sql("CREATE TABLE t (v)")));
    await within(databases, "some-actor", (driver) => driver.run(sql("INSERT INTO t VALUES (1)")));
    const out = await roost(["store", "export", "a.db", "--out", "a.jsonl"], world);
    assert.equal(out.out, `exported 11 entries to ${at("a.jsonl")}`);

    const cut = (await readFile(at("a.jsonl"), "utf8")).trimEnd().split("\n").slice(0, -1);
    const input = () => piecesOf(cut.join("\n"), 64);
    assert.equal((await roost(["store", "import", "b.db"], { ...world, input })).code, 1);
    assert.deepEqual((await readdir(folder.path)).sort(), ["a.db", "a.db.actors", "a.jsonl"]);

    await roost(["store", "import", "b.db", "--in", "a.jsonl"], world);
    const elsewhere = ["--databases", "elsewhere"];
    await roost(["store", "import", "c.db", "--in", "a.jsonl", ...elsewhere], world);
    for (const name of ["b.db.actors", "elsewhere"]) {
      await within(new FolderDatabases(at(name), "normal"), "some-actor", async (driver) => {
        assert.equal((await driver.all(sql("SELECT v FROM t"))).length, 1, name);
      });
    }
    const again = await roost(["store", "export", "c.db", ...elsewhere], world);
    assert.equal(`${again.out}\n`, await readFile(at("a.jsonl"), "utf8"));
    const { err } = await roost(
      ["store", "import", "d.db", "--in", "a.jsonl", ...elsewhere],
      world,
    );
    assert.match(err, /elsewhere exists already; name a new folder/);
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
      [["store", "export", "a.db", "--databases", "ws://x"], /name a folder, or http:/],
      [["store", "export", "a.db", "--databases", "http://x"], /with --databases-admin URL/],
      [["store", "export", "a.db", "--databases-admin", "http://x"], /is of a server/],
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
