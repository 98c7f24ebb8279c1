import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { actor, event } from "../../../src/actor.ts";
import { failureOf, Rig } from "./support.ts";

const counter = actor({
  state: () => ({ count: 0, log: [] as string[] }),
  events: { changed: event<number>() },
  actions: {
    add(c, by: number) {
      c.state.count += by;
      return c.state.count;
    },
    get: (c) => c.state.count,
    async slowly(c, label: string) {
      c.state.log.push(`${label} begins`);
      await Promise.resolve();
      c.state.log.push(`${label} ends`);
    },
    entries: (c) => c.state.log,
    fail(): never {
      throw new Error("broken");
    },
    end: (c) => c.destroy(),
    rest: (c) => c.sleep(),
    id: (c) => c.actorId,
    addLater(c, by: number, ms: number) {
      return c.schedule.after(ms, "add", by);
    },
  },
  actionOptions: { get: { turn: "read" } },
});

describe("an actor host", () => {
  it("makes an actor when it is first asked for, and keeps its state", async () => {
    const rig = new Rig({ counter });
    assert.equal(await rig.act("counter", "a", "add", 2), 2);
    assert.equal(await rig.act("counter", "a", "add", 3), 5);
    assert.equal(await rig.act("counter", "b", "get"), 0);
    assert.equal(rig.host.awake, 2);
    await rig.close();
  });

  it("puts an idle actor to sleep, and wakes it with its state", async () => {
    const rig = new Rig({ counter });
    await rig.act("counter", "a", "add", 2);
    const id = await rig.act("counter", "a", "id");
    await rig.clock.advance(29_999);
    assert.equal(rig.host.awake, 1);
    await rig.clock.advance(1);
    assert.equal(rig.host.awake, 0);
    assert.equal(await rig.act("counter", "a", "get"), 2);
    assert.equal(await rig.act("counter", "a", "id"), id);
    await rig.close();
  });

  it("finds everything on the store of an earlier process, also one that was killed", async () => {
    const store = new MemoryStore();
    const first = new Rig({ counter }, { store });
    await first.act("counter", "a", "add", 7);
    const second = new Rig({ counter }, { store: store.reopen() });
    assert.equal(await second.act("counter", "a", "get"), 7);
    await second.close();
  });

  it("runs one turn at a time", async () => {
    const rig = new Rig({ counter });
    await Promise.all(["a", "b", "c"].map((label) => rig.act("counter", "k", "slowly", label)));
    assert.deepEqual(
      await rig.act("counter", "k", "entries"),
      ["a", "b", "c"].flatMap((label) => [`${label} begins`, `${label} ends`]),
    );
    await rig.close();
  });

  it("tells of unknown actors, actions and names", async () => {
    const rig = new Rig({ counter });
    const codes = async (work: Promise<unknown>) => (await failureOf(work)).code;
    assert.equal(await codes(rig.act("counter", "a", "nope")), "actor.action_not_found");
    assert.equal(await codes(rig.act("nope", "a", "get")), "actor.not_registered");
    const missing = { name: "counter", key: ["none"] };
    assert.equal(await codes(rig.act("counter", missing, "get")), "actor.not_found");
    assert.equal(await codes(rig.act("counter", { id: "none" }, "get")), "actor.not_found");
    assert.equal(await codes(rig.act("counter", "a", "fail")), "internal");
    await rig.close();
  });

  it("destroys an actor with all that it had; the next one of its key is another", async () => {
    const rig = new Rig({ counter });
    await rig.act("counter", "a", "add", 1);
    const id = await rig.act("counter", "a", "id");
    await rig.act("counter", "a", "addLater", 1, 60_000);
    await rig.act("counter", "a", "end");
    await rig.clock.settle();
    assert.equal(rig.host.awake, 0);
    assert.deepEqual(await rig.store.records("actors", "", 10), []);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    assert.equal(await rig.act("counter", "a", "get"), 0);
    assert.notEqual(await rig.act("counter", "a", "id"), id);
    await rig.close();
  });

  it("runs what was scheduled while the actor slept", async () => {
    const rig = new Rig({ counter });
    await rig.act("counter", "a", "addLater", 5, 60_000);
    await rig.clock.advance(40_000);
    assert.equal(rig.host.awake, 0);
    await rig.clock.advance(20_000);
    assert.equal(await rig.act("counter", "a", "get"), 5);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    await rig.close();
  });
});
