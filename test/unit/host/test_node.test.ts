import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testNode } from "../../../adapters/memory/test_node.ts";
import { actor } from "../../../src/actor.ts";
import { defineNode } from "../../../src/define.ts";

const counter = actor({
  state: () => ({ count: 0 }),
  actions: {
    add(c, by: number) {
      c.state.count += by;
      return c.state.count;
    },
    get: (c) => c.state.count,
    addLater(c, by: number, ms: number) {
      c.schedule.after(ms, "add", by);
    },
    async viaOther(c, key: string): Promise<number> {
      return await c
        .client<typeof app>()
        .counter.get(key)
        .twice(c.key[0] ?? "");
    },
    async twice(c, key: string): Promise<number> {
      const other = c.client<typeof app>().counter.get(key);
      await other.add(1);
      return await other.add(1);
    },
  },
});

const app = defineNode({ actors: { counter } });

describe("actors of a test node", () => {
  it("are called by name and key, and keep time with the test's clock", async () => {
    await using t = await testNode(app);
    await t.actors.counter.get("a").addLater(1, 60_000);
    await t.clock.advance(60_000);
    assert.equal(await t.actors.counter.get("a").get(), 1);
  });

  it("are there after a crash of the node, as far as their callers were told", async () => {
    await using t = await testNode(app);
    assert.equal(await t.actors.counter.get("a").add(5), 5);
    await t.actors.counter.get("a").addLater(10, 60_000);
    await t.restart({ crash: true });
    assert.equal(await t.actors.counter.get("a").get(), 5);
    await t.clock.advance(60_000);
    assert.equal(await t.actors.counter.get("a").get(), 15);
  });

  it("have databases of their own, which a crash leaves as the last transaction did", async () => {
    const notes = actor({
      sql: { migrations: [["CREATE TABLE notes (text TEXT)"]] },
      actions: {
        add: (c, text: string) => c.sql.run("INSERT INTO notes VALUES (?)", text),
        hang: (c) =>
          c.sql.transaction(async (tx) => {
            await tx.run("INSERT INTO notes VALUES ('cut short')");
            await new Promise(() => {});
          }),
        all: (c) => c.sql.all<{ text: string }>("SELECT text FROM notes"),
      },
    });
    await using t = await testNode(defineNode({ actors: { notes } }));
    const { a } = { a: t.actors.notes.get("a") };
    await a.add("one");
    a.hang().catch(() => {});
    await t.clock.settle();
    await t.restart({ crash: true });
    const all = await t.actors.notes.get("a").all();
    assert.deepEqual(
      all.map(({ text }) => text),
      ["one"],
    );
  });

  it("call each other back without waiting for themselves", async () => {
    await using t = await testNode(app);
    assert.equal(await t.actors.counter.get("a").viaOther("b"), 2);
  });

  it("are refused by a name that stands in no URL", async () => {
    await assert.rejects(testNode(defineNode({ actors: { "a/b": counter } })), { code: "config" });
  });
});
