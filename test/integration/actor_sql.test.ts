import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runningModule } from "../../adapters/running.ts";
import type { Served, ServeOptions } from "../../adapters/serve/options.ts";
import { actor } from "../../src/actor.ts";
import { defineNode } from "../../src/define.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { until } from "../fixtures/until.ts";

const notes = actor({
  sql: { migrations: [["CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"]] },
  actions: {
    add: (c, text: string) =>
      c.sql.transaction(async (tx) => {
        await tx.run("INSERT INTO notes (text) VALUES (?)", text);
        return await tx.get<{ n: number }>("SELECT count(*) AS n FROM notes");
      }),
    end: (c) => c.destroy(),
  },
});
const app = defineNode({ actors: { notes } });
const limit = { timeout: 60_000 };

async function serving(options: ServeOptions): Promise<Served> {
  const running = await runningModule();
  const log = running.silentLogger();
  return await running.serve(app, { port: 0, hostname: "127.0.0.1", log, ...options });
}

async function call(url: string, key: string, action: string, ...args: unknown[]) {
  const running = await runningModule();
  await using peer = await running.connect<typeof app>(url);
  const { [action]: run } = peer.actors.notes.get(key) as unknown as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >;
  return await run?.(...args);
}

describe("databases of a served node's actors", () => {
  it(
    "lie beside its store, are there after a restart, and go with their actors",
    limit,
    async () => {
      await using folder = await temporaryFolder();
      const store = `file:${join(folder.path, "node.db")}`;
      for (const round of [1, 2]) {
        await using node = await serving({ store });
        for (const key of ["a", "b"]) {
          assert.deepEqual(
            { ...((await call(node.url, key, "add", "x")) as object) },
            { n: round },
          );
        }
      }
      const beside = join(folder.path, "node.db.actors");
      const names = async (): Promise<string[]> =>
        (await readdir(beside)).filter((name) => name.endsWith(".db"));
      assert.equal((await names()).length, 2);
      await using node = await serving({ store });
      await call(node.url, "a", "end");
      await until("the database of one is gone", async () => (await names()).length === 1, 10_000);
    },
  );

  it("lie where they are told to, or in memory with the store", limit, async () => {
    await using folder = await temporaryFolder();
    await using told = await serving({ databases: `file:${join(folder.path, "sql")}` });
    await call(told.url, "a", "add", "x");
    assert.equal((await readdir(join(folder.path, "sql"))).length > 0, true);
    await using inMemory = await serving({});
    assert.deepEqual({ ...((await call(inMemory.url, "a", "add", "x")) as object) }, { n: 1 });
    await assert.rejects(serving({ databases: "http://127.0.0.1:1" }), { code: "config" });
  });
});
