import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor, event } from "../../../src/actor.ts";
import { Listener } from "./connections_support.ts";
import { HeldStore } from "./held_store.ts";
import { failureOf, Rig } from "./support.ts";

const changes: unknown[] = [];

const subject = actor({
  state: () => ({ count: 0 }),
  events: { changed: event<number>() },
  actions: {
    add(c, by: number) {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
    tell: (c) => c.broadcast("changed", c.state.count),
    get: (c) => c.state.count,
  },
});

async function begin(): Promise<{ rig: Rig; store: HeldStore; heard: unknown[] }> {
  const store = new HeldStore();
  const rig = new Rig({ subject }, { store });
  await rig.act("subject", "a", "get");
  const heard: unknown[] = [];
  const client = await Listener.connect(rig, "subject", "a", undefined, heard);
  client.subscribe("changed");
  await rig.clock.advance(1000);
  return { rig, store, heard };
}

describe("what an actor says", () => {
  it("is heard when what it tells of is on disk, broadcasts and answers in their order", async () => {
    const { rig, store, heard } = await begin();
    store.hold();
    const adding = rig.act("subject", "a", "add", 1).then((count) => heard.push(count));
    await rig.clock.settle();
    assert.deepEqual(heard, []);
    store.release();
    await adding;
    assert.deepEqual(heard, [["changed", 1], 1]);
    await rig.close();
  });

  it("is heard at once when there is nothing to write", async () => {
    const { rig, heard } = await begin();
    await rig.act("subject", "a", "tell");
    assert.deepEqual(heard, [["changed", 0]]);
    await rig.close();
  });

  it("waits, also without a change of its own, for changes of others that it may know of", async () => {
    const { rig, store, heard } = await begin();
    store.hold();
    const adding = rig.act("subject", "a", "add", 1);
    const reading = rig.act("subject", "a", "get").then((count) => heard.push(count));
    await rig.clock.settle();
    assert.deepEqual(heard, []);
    store.release();
    await Promise.all([adding, reading]);
    assert.deepEqual(heard, [["changed", 1], 1]);
    await rig.close();
  });

  it("is never heard when it cannot be written", async () => {
    const { rig, store, heard } = await begin();
    store.refuseNext("statement");
    await failureOf(rig.act("subject", "a", "add", 1));
    await rig.clock.settle();
    assert.deepEqual(heard, []);
    await rig.close();
  });
});

describe("onStateChange", () => {
  const observed = actor({
    state: () => ({ count: 0 }),
    actions: {
      add(c, times: number) {
        for (let i = 0; i < times; i++) c.state.count += 1;
      },
      get: (c) => c.state.count,
    },
    onStateChange(_, state) {
      changes.push(state.count);
    },
  });

  it("hears once of all changes of one turn of the event loop", async () => {
    changes.length = 0;
    const rig = new Rig({ observed });
    await rig.act("observed", "a", "add", 3);
    await rig.clock.settle();
    assert.deepEqual(changes.at(-1), 3);
    const before = changes.length;
    await rig.act("observed", "a", "add", 2);
    await rig.clock.settle();
    assert.deepEqual(changes.slice(before), [5]);
    await rig.close();
  });

  it("[H-93] may change nothing: that is an error which the actor hears of, and does not happen", async () => {
    const errors: string[] = [];
    const changer = actor({
      state: () => ({ count: 0 }),
      actions: {
        add(c) {
          c.state.count += 1;
        },
        get: (c) => c.state.count,
      },
      onStateChange(_, state) {
        state.count = 100;
      },
      onError: (_, error) => void errors.push(error.code),
    });
    const rig = new Rig({ changer });
    await rig.act("changer", "a", "add");
    await rig.clock.settle();
    assert.ok(errors.length > 0);
    assert.deepEqual(new Set(errors), new Set(["actor.state_mutation_reentrant"]));
    assert.equal(await rig.act("changer", "a", "get"), 1);
    await rig.close();
  });
});
