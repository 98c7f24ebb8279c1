import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { exportStore } from "../../adapters/sql/export.ts";
import { FolderDatabases } from "../../adapters/sql/folder_databases.ts";
import { importStore } from "../../adapters/sql/import.ts";
import { MemoryDatabases } from "../../adapters/sql/memory_databases.ts";
import type { PortableDatabases } from "../../adapters/sql/portable_databases.ts";
import { serverDatabases } from "../../adapters/sql/server_databases.ts";
import { creation } from "../../src/host/contents.ts";
import type { SqlDriver, SqlRow, SqlValue } from "../../src/ports/sql_driver.ts";
import type { Store } from "../../src/ports/store.ts";
import { Sqld, sqldMissing } from "../fixtures/sqld.ts";
import { temporaryFolder } from "./temporary_folder.ts";

interface Place extends AsyncDisposable {
  readonly databases: PortableDatabases;
}

const record = { name: "n", input: undefined, createdAt: 1, stateVersion: 1 };

/** A store that knows actors of these ids. */
async function storeOf(...ids: readonly string[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.commit(ids.flatMap((id) => creation(id, { ...record, key: [id] })));
  return store;
}

/** Everything that SQLite tells apart, or that the order of an import may break. */
const schema = [
  "CREATE TABLE a_child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parent (id))",
  "CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, next INTEGER REFERENCES parent (id))",
  `CREATE TABLE "odd ""name" (v, "col ""umn", twice AS (v || v))`,
  "CREATE TABLE pairs (b TEXT, a INTEGER, v, PRIMARY KEY (a, b)) WITHOUT ROWID",
  "CREATE TABLE rowid_taken (rowid TEXT, v)",
  "CREATE VIRTUAL TABLE words USING fts5 (body)",
  "CREATE TABLE log (n INTEGER)",
  "CREATE UNIQUE INDEX by_next ON parent (next)",
  "CREATE VIEW both AS SELECT id FROM parent UNION SELECT id FROM a_child",
  "CREATE TRIGGER counts AFTER INSERT ON parent BEGIN INSERT INTO log VALUES (new.id); END",
];

async function fill(driver: SqlDriver): Promise<void> {
  const run = async (sql: string, ...args: SqlValue[]): Promise<void> => {
    await driver.run({ sql, args });
  };
  for (const sql of schema) await run(sql);
  await run("INSERT INTO parent (id, next) VALUES (7, NULL), (9, 7)");
  await run("UPDATE parent SET next = 9 WHERE id = 7");
  await run("INSERT INTO parent (id) VALUES (90)");
  await run("DELETE FROM parent WHERE id = 90");
  await run("INSERT INTO a_child VALUES (1, 9)");
  const odd = `INSERT INTO "odd ""name" VALUES`;
  await run(`${odd} (1.0, 1), (1, 1.5), (9e999, -9e999), (9007199254740993, 1e300)`);
  await run(`${odd} (?, ?), (?, ?)`, "'\"\n🐓", null, new Uint8Array([0, 255]), "");
  await run(`DELETE FROM "odd ""name" WHERE rowid = 2`);
  for (let i = 0; i < 5; i++) await run("INSERT INTO pairs VALUES (?, ?, ?)", `b${i % 2}`, i, i);
  await run("INSERT INTO rowid_taken VALUES ('mine', 1)");
  await run("INSERT INTO words (body) VALUES ('one two'), ('two three')");
  await run("PRAGMA user_version = 12");
}

async function linesOf(store: Store, databases: PortableDatabases, pageSize = 2) {
  const lines: string[] = [];
  for await (const line of exportStore(store, { databases, pageSize })) lines.push(line);
  return lines;
}

async function within<T>(
  databases: PortableDatabases,
  name: string,
  work: (driver: SqlDriver) => Promise<T>,
): Promise<T> {
  const driver = await databases.open(name);
  try {
    return await work(driver);
  } finally {
    await driver.close();
  }
}

function exportCases(name: string, open: () => Promise<Place>): void {
  describe(`export and import of databases, ${name}`, () => {
    it("carries all that is in them to another place", async () => {
      await using from = await open();
      await using to = await open();
      await using store = await storeOf("a", "b", "none");
      await within(from.databases, "a", fill);
      // Of one table alone the numbers come after its rows.
      await within(from.databases, "b", async (driver) => {
        for (const sql of [
          "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)",
          "INSERT INTO t VALUES (5), (90)",
          "DELETE FROM t WHERE id = 90",
        ]) {
          await driver.run({ sql, args: [] });
        }
      });
      const lines = await linesOf(store, from.databases);
      await using copy = new MemoryStore();
      await importStore(copy, lines, { databases: to.databases, batchSize: 3 });
      assert.deepEqual(await linesOf(copy, to.databases), lines);
      assert.equal(await to.databases.has("none"), false);
      await within(to.databases, "a", async (driver) => {
        const ask = async (sql: string): Promise<unknown[]> =>
          plain(await driver.all({ sql, args: [] }));
        assert.deepEqual(await ask(`SELECT rowid, typeof(v) AS t FROM "odd ""name"`), [
          { rowid: 1, t: "real" },
          { rowid: 3, t: "real" },
          { rowid: 4, t: "integer" },
          { rowid: 5, t: "text" },
          { rowid: 6, t: "blob" },
        ]);
        assert.deepEqual(await ask("SELECT count(*) AS n FROM log"), [{ n: 3 }]);
        assert.deepEqual(await ask("SELECT body FROM words WHERE words MATCH 'three'"), [
          { body: "two three" },
        ]);
        assert.deepEqual(await ask("INSERT INTO parent (next) VALUES (NULL) RETURNING id"), [
          { id: 91 },
        ]);
        assert.deepEqual(await ask("SELECT count(*) AS n FROM log"), [{ n: 4 }]);
      });
    });

    it("overwrites none that is there", async () => {
      await using from = await open();
      await using store = await storeOf("a");
      await within(from.databases, "a", fill);
      const lines = await linesOf(store, from.databases);
      await assert.rejects(importStore(new MemoryStore(), lines, from), {
        code: "invalid_argument",
        message: /there is a database a already/,
      });
      await assert.rejects(importStore(new MemoryStore(), lines), {
        code: "invalid_argument",
        message: /has databases of actors; name where they go/,
      });
    });
  });
}

exportCases("memory", async () => ({
  databases: new MemoryDatabases(),
  [Symbol.asyncDispose]: async () => {},
}));

exportCases("a folder", async () => {
  const folder = await temporaryFolder();
  return {
    databases: new FolderDatabases(folder.path, "normal"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

describe("on a libSQL server", { skip: sqldMissing, timeout: 120_000 }, () => {
  let server: Sqld;
  let places = 0;
  before(async () => {
    server = await Sqld.start({ namespaces: true });
  });
  after(() => server[Symbol.asyncDispose]());

  exportCases("namespaces", async () => {
    const { adminUrl = "" } = server;
    const all = serverDatabases({ url: server.url("http"), adminUrl });
    places += 1;
    const place = `p${places}`;
    const own = (name: string): string => `${place}-${name}`;
    return {
      databases: {
        shared: all.shared,
        open: (name, owner) => all.open(own(name), owner),
        delete: (name) => all.delete(own(name)),
        has: (name) => all.has(own(name)),
        openForImport: (name) => all.openForImport(own(name)),
      },
      [Symbol.asyncDispose]: async () => {},
    };
  });
});

it("a database that cannot be looked at is not taken for none", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "no_folder");
  await writeFile(file, "");
  await using store = await storeOf("a");
  const databases = new FolderDatabases(file, "normal");
  await assert.rejects(linesOf(store, databases), { code: "storage", message: /a\.db/ });
});

it("the address of a server is told without its secrets", async (t) => {
  const server = createServer((_, answer) => answer.end("{}"));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const databases = serverDatabases({ url: `${url}/?authToken=s3cret`, adminUrl: url });
  await assert.rejects(databases.open("a"), {
    message: `the libSQL server at ${url} has no namespaces; start it with --enable-namespaces`,
  });
});

/** Rows without the prototypes that a binding may give them. */
function plain(rows: readonly SqlRow[]): SqlRow[] {
  return rows.map((row) => ({ ...row }));
}
