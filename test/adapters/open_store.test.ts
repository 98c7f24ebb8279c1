import assert from "node:assert/strict";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { openLibsqlClient } from "../../adapters/sql/libsql_client.ts";
import { openDriver, openStore } from "../../adapters/sql/open.ts";
import { schemaVersion } from "../../adapters/sql/schema.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError, type ErrorCode } from "../../src/errors.ts";
import { row } from "../conformance/store_samples.ts";
import { localBindings } from "./sql_bindings.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const options = { clock: systemClock(), random: new SeededRandom() };
const never = new AbortController().signal;

/** Takes long enough for many turns of an event loop. */
const countToAMillion = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
  SELECT max(i) FROM n`;

describe("openStore", () => {
  it("opens memory", async () => {
    await using store = await openStore(":memory:", options, never);
    assert.equal(store.durable, false);
  });

  it("opens a file, makes its folder, and finds the same contents again", async () => {
    await using folder = await temporaryFolder();
    const url = `file:${join(folder.path, "a", "b c", "node.db")}`;
    const first = await openStore(url.replace(" ", "%20"), options, never);
    await first.commit([{ kind: "mailbox.put", row: row(1) }]);
    await first.close();
    await using second = await openStore(url, { ...options, durability: "normal" }, never);
    assert.equal(second.durable, true);
    assert.deepEqual(await second.mailboxRows(0, 9), [row(1)]);
  });

  it("takes file URLs with three slashes", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.db");
    await (await openStore(`file://${path}`, options, never)).close();
    assert.ok((await stat(path)).isFile());
  });

  it("names what it cannot open and the mend", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    await writeFile(
      at("text.db"),
      "this is no database, though long enough to look like one".repeat(40),
    );
    await mkdir(at("folder.db"));
    await fails("node.db", "config", /"file:PATH"/);
    await fails("file://elsewhere/node.db", "config", /elsewhere/);
    await fails(`file:${at("text.db")}`, "storage", /text\.db.*not a database/);
    await fails(`file:${at("folder.db")}`, "storage", /folder\.db.*check that the path/);
    await fails(`file:${at("text.db")}/below/node.db`, "storage", /below.*check that the path/);
  });

  it("has every commit reach the disk, or leaves that to the system, as durability says", async () => {
    await using folder = await temporaryFolder();
    const levels = { full: 2, normal: 1 } as const;
    for (const durability of ["full", "normal", undefined] as const) {
      const url = `file:${join(folder.path, `${durability}.db`)}`;
      const opened = [await openDriver(url, durability === undefined ? {} : { durability })];
      if (durability !== undefined) {
        opened.push(await openLibsqlClient({ url: `${url}.client`, durability }));
      }
      for (const driver of opened) {
        const setting = async (name: string) =>
          Object.values((await driver.all({ sql: `PRAGMA ${name}`, args: [] }))[0] ?? {})[0];
        assert.equal(await setting("synchronous"), levels[durability ?? "full"], driver.name);
        assert.equal(await setting("journal_mode"), "wal", driver.name);
        await driver.close();
      }
    }
  });

  it("refuses options that do not fit the database", async () => {
    await using folder = await temporaryFolder();
    const file = `file:${join(folder.path, "node.db")}`;
    const syncUrl = "http://127.0.0.1:1";
    for (const [url, more, message] of [
      [syncUrl, { syncUrl }, /cannot be a replica of http.*; name the file/],
      [":memory:", { syncUrl }, /:memory: cannot be a replica/],
      [file, { syncUrl: "server" }, /^server to replicate from is no address/],
      [file, { callTimeoutMs: 0 }, /time limit of the store is 0; it is a whole number/],
    ] as const) {
      await assert.rejects(openStore(url, { ...options, ...more }, never), (error) => {
        assert.match(ActrError.from(error).message, message);
        return ActrError.is(error) && error.code === "config";
      });
    }
  });

  it("tells what to do about a server that does not answer", async () => {
    const message =
      /^http:\/\/127\.0\.0\.1:1 \(libsql client\): .*; check that the server runs there/;
    const opened = openStore("http://127.0.0.1:1", options, never);
    await assert.rejects(opened, { code: "storage", message });
  });

  it("refuses a database of a newer release", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.db");
    await (await openStore(`file:${path}`, options, never)).close();
    const binding = localBindings.find(({ skip }) => skip === false);
    assert.ok(binding);
    const driver = await binding.open(path);
    await driver.run({ sql: "UPDATE meta SET schema = ?", args: [schemaVersion + 1] });
    await assert.rejects(openSqlStore(driver, options, never), /newer release/);
    await fails(`file:${path}`, "storage", new RegExp(`schema version ${schemaVersion + 1}`));
  });

  it("[ND-12] leaves the event loop free when asked, in WAL mode, waiting for locks, and closes", async () => {
    await using folder = await temporaryFolder();
    const url = `file:${join(folder.path, "node.db")}`;
    const driver = await openDriver(url, { worker: true });
    const pragma = async (name: string) => {
      const [found] = await driver.all({ sql: `PRAGMA ${name}`, args: [] });
      return Object.values(found ?? {})[0];
    };
    assert.equal(await pragma("journal_mode"), "wal");
    assert.ok(Number(await pragma("busy_timeout")) > 0);
    let working = true;
    let turns = 0;
    const slow = driver.all({ sql: countToAMillion, args: [] });
    void Promise.resolve(slow).finally(() => (working = false));
    while (working) {
      turns += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(turns > 10, `${turns} turns`);
    await driver.close();
    assert.deepEqual(await openFiles(folder.path), []);
  });

  it("leaves no file open", { skip: process.platform !== "linux" && "reads /proc" }, async () => {
    await using folder = await temporaryFolder();
    for (let round = 0; round < 5; round++) {
      const store = await openStore(`file:${join(folder.path, "node.db")}`, options, never);
      await store.commit([{ kind: "mailbox.put", row: row(store.opened.lastSeq + 1) }]);
      await store.mailboxRows(0, 3);
      assert.ok((await openFiles(folder.path)).length > 0);
      await store.close();
      assert.deepEqual(await openFiles(folder.path), []);
    }
  });
});

async function fails(url: string, code: ErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(openStore(url, options, never), (error) => {
    assert.ok(ActrError.is(error), String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

async function openFiles(folder: string): Promise<string[]> {
  const { readdir, readlink } = await import("node:fs/promises");
  const handles = await readdir("/proc/self/fd");
  const paths = handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => ""));
  return (await Promise.all(paths)).filter((path) => path.startsWith(folder));
}
