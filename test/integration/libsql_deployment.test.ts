import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import type { Served, ServeOptions } from "../../adapters/serve/options.ts";
import { checkStore } from "../../adapters/sql/check.ts";
import { openStore } from "../../adapters/sql/open.ts";
import { openDatabases } from "../../adapters/sql/open_databases.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { defineNode } from "../../src/define.ts";
import { creation } from "../../src/host/contents.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { letter } from "../conformance/store_samples.ts";
import { adapter } from "../fixtures/runtimes.ts";
import { Sqld, sqldMissing } from "../fixtures/sqld.ts";
import { until } from "../fixtures/until.ts";
import { roost } from "../unit/cli/support.ts";

async function serve(options: ServeOptions): Promise<Served> {
  const adapters = await adapter();
  const log = silentLogger();
  return adapters.serve(defineNode({}), { port: 0, hostname: "127.0.0.1", log, ...options });
}

async function readiness({ url }: Served): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, text: await response.text() };
}

describe("a node on a libSQL server", { skip: sqldMissing, timeout: 120_000 }, () => {
  it("is not ready while the server is down, though it is idle, and recovers by itself", async () => {
    await using server = await Sqld.start();
    const parts = { clock: systemClock(), random: systemRandom(), callTimeoutMs: 500 };
    const options = { ...parts, leaseMs: 6_000 };
    await using store = await openStore(server.url("http"), options, AbortSignal.timeout(10_000));
    await using node = await serve({ store });
    assert.equal((await readiness(node)).status, 200);
    await server.kill();
    const status = async (wanted: number) => (await readiness(node)).status === wanted;
    await until("the node is not ready", () => status(503), 5_000);
    assert.match((await readiness(node)).text, /the store cannot write: http:.*\(libsql client\)/);
    await server.resume();
    await until("the node is ready again", () => status(200), 5_000);
    assert.equal(store.fault, undefined);
  });

  it("stops when another owner took over while it was cut off", async () => {
    await using server = await Sqld.start();
    const parts = { clock: systemClock(), random: systemRandom(), callTimeoutMs: 500 };
    const options = { ...parts, leaseMs: 1_500 };
    const open = () => openStore(server.url("http"), options, AbortSignal.timeout(10_000));
    const store = await open();
    await using node = await serve({ store });
    await server.kill();
    await store.lost;
    await server.resume();
    await using heir = await open();
    await node.stopped;
    assert.equal(heir.opened.fence, store.opened.fence + 1);
    await store.close();
  });

  it("keeps everything on the server when it serves from an embedded replica", async () => {
    await using server = await Sqld.start({ auth: true });
    await using folder = await temporaryFolder();
    const file = `file:${join(folder.path, "replica.db")}`;
    const access = { storeToken: server.token ?? "", storeTimeoutMs: 2_000 };
    const replica = { ...access, store: file, storeSyncUrl: server.url("http") };
    const kept = letter(1, { createdAt: Date.now() });
    {
      await using node = await serve(replica);
      const { store } = node.node.components;
      await store.commit([{ kind: "deadLetter.put", letter: kept }]);
      assert.deepEqual(await store.deadLetters(9), [kept]);
      assert.match(store.name, /replica\.db/);
    }
    const token = { authToken: server.token ?? "" };
    const report = await checkStore(file, { ...token, syncUrl: server.url("ws") });
    assert.deepEqual([report.clean, report.rows["dead_letter"]], [true, 1]);
    await using again = await serve({ ...access, store: server.url("http") });
    assert.deepEqual(await again.node.components.store.deadLetters(9), [kept]);
  });

  it("is operated by the commands, with the token from the environment", async () => {
    await using server = await Sqld.start({ auth: true });
    await using second = await Sqld.start({ auth: true });
    await using folder = await temporaryFolder();
    const url = server.url("http");
    const env = { ROOST_STORE_TOKEN: server.token ?? "" };
    const refused = await roost(["doctor", "--store", url]);
    assert.equal(refused.code, 1);
    assert.match(
      refused.out,
      /✖ store http:.*401.*\n {4}check that the server runs there, and ROOST/,
    );
    {
      await using _node = await serve({ store: url, storeToken: server.token ?? "" });
      const inUse = await roost(["doctor", "--store", url], { env });
      assert.equal(inUse.code, 0, inUse.out);
      assert.match(
        inUse.out,
        /✔ store http:.*: whole; .*; in use by process \d+ on .*, whose lease/,
      );
      for (const args of [
        ["dlq", "ls", "--store", url],
        ["store", "export", url],
      ]) {
        const busy = await roost(args, { env });
        assert.equal(busy.code, 1);
        assert.match(
          busy.err,
          /^roost: storage: .* is owned by process \d+ on .*; stop that process/,
        );
      }
    }
    const letters = await roost(["dlq", "ls", "--store", url], { env });
    assert.deepEqual(letters, { code: 0, out: "no dead letters", err: "" });
    const lines = join(folder.path, "lines.jsonl");
    const out = await roost(["store", "export", url, "--out", lines], { env });
    assert.match(out.out, /^exported \d+ entries to /, out.err);
    const other = { ROOST_STORE_TOKEN: second.token ?? "" };
    const into = await roost(["store", "import", second.url("ws"), "--in", lines], { env: other });
    assert.match(into.out, /^imported \d+ entries into ws:/, into.err);
    assert.doesNotMatch(refused.out + out.out + into.out, new RegExp(server.token ?? "x"));
  });
});

describe("a store and the databases of its actors", { skip: sqldMissing, timeout: 120_000 }, () => {
  it("move from files to libSQL servers, and are the same there", async () => {
    await using folder = await temporaryFolder();
    await using server = await Sqld.start();
    await using databases = await Sqld.start({ namespaces: true });
    const world = { cwd: folder.path };
    {
      const parts = { clock: systemClock(), random: systemRandom() };
      const url = `file:${join(folder.path, "a.db")}`;
      await using store = await openStore(url, parts, AbortSignal.timeout(10_000));
      const record = { name: "n", key: ["k"], input: undefined, createdAt: 1, stateVersion: 1 };
      await store.commit(creation("some-actor", record));
    }
    const driver = await openDatabases(`file:${join(folder.path, "a.db.actors")}`).open(
      "some-actor",
    );
    await driver.run({ sql: "CREATE TABLE t (v)", args: [] });
    await driver.run({ sql: "INSERT INTO t VALUES (1), (2.0), ('x')", args: [] });
    await driver.close();
    const place = ["--databases", databases.url("http")];
    place.push("--databases-admin", databases.adminUrl ?? "");
    const url = server.url("http");
    for (const args of [
      ["export", "a.db", "--out", "a.jsonl"],
      ["import", url, "--in", "a.jsonl", ...place],
      ["export", url, "--out", "b.jsonl", ...place],
    ]) {
      const { code, err } = await roost(["store", ...args], world);
      assert.deepEqual([code, err], [0, ""], args.join(" "));
    }
    const [a, b] = await Promise.all(
      ["a.jsonl", "b.jsonl"].map((name) => readFile(join(folder.path, name), "utf8")),
    );
    assert.equal(a, b);
    assert.match(a ?? "", /"some-actor"[\s\S]*\{"real":"2"\}/);
  });
});
