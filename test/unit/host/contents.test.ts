import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { actor } from "../../../src/actor.ts";
import type { Store, StoreChange } from "../../../src/ports/store.ts";
import { HeldStore } from "./held_store.ts";
import { failureOf, Rig } from "./support.ts";

const subject = actor({
  state: () => ({ count: 0 }),
  queues: { jobs: { kind: "queue" } },
  actions: {
    id: (c) => c.actorId,
    get: (c) => c.state.count,
    add(c) {
      c.state.count += 1;
    },
    fill(c, values: number) {
      for (let i = 0; i < values; i++) c.kv.put(`k${i}`, i);
      c.queue.send("jobs", "one");
      c.schedule.after(1000, "get");
      c.schedule.after(3_600_000, "get");
    },
    end: (c) => c.destroy(),
  },
});

/** Names of the spaces that hold something. */
async function spacesOf(store: Store): Promise<string[]> {
  const spaces: string[] = [];
  for (let next = await store.nextSpace(""); next !== undefined; ) {
    spaces.push(next);
    next = await store.nextSpace(next);
  }
  return spaces;
}

/** Its process ends between two commits of a deletion. */
class CrashingStore extends HeldStore {
  /** Commits of the deletion that are still written. */
  left = Number.POSITIVE_INFINITY;

  override async commit(changes: readonly StoreChange[]): Promise<void> {
    const begins = changes.some(({ kind }) => kind === "record.delete");
    if (begins && this.left-- <= 0) this.hold();
    await super.commit(changes);
  }
}

describe("the rows of an actor", () => {
  it("are all gone after its end", async () => {
    const store = new MemoryStore();
    const rig = new Rig({ subject }, { store });
    await rig.act("subject", "a", "fill", 2500);
    await rig.clock.advance(1000);
    await rig.act("subject", "a", "end");
    await rig.clock.settle();
    assert.deepEqual(await spacesOf(store), []);
    await rig.close();
  });

  for (const left of [1, 2, 3, 4]) {
    it(`are all gone after a crash that leaves ${left} commits of its end`, async () => {
      const store = new CrashingStore();
      const rig = new Rig({ subject }, { store });
      const id = (await rig.act("subject", "a", "id")) as string;
      await rig.act("subject", "a", "fill", 1500);
      await rig.clock.advance(1000);
      store.left = left;
      await rig.act("subject", "a", "end");
      await rig.clock.settle();
      assert.notDeepEqual(await spacesOf(store), []);
      const next = new Rig({ subject }, { store: store.reopen(), seed: 2 });
      await next.clock.settle();
      if (left > 1) {
        assert.deepEqual(await spacesOf(next.store), []);
        assert.equal((await failureOf(next.host.wake({ id }))).code, "actor.not_found");
      }
      rig.host.abandon(await failureOf(rig.store.record("", "")));
      await next.close();
    });
  }
});

describe("lines of the index of alarms", () => {
  it("that are of no actor go when they are due, and are told of once", async () => {
    const store = new MemoryStore();
    const key = "000000000001000:nobody:s1";
    await store.commit([{ kind: "record.put", space: "alarms", key, value: new Uint8Array(0) }]);
    const rig = new Rig({ subject }, { store });
    await rig.clock.advance(120_000);
    assert.deepEqual(await spacesOf(store), []);
    assert.equal(rig.logged("actor.alarms_of_none").length, 1);
    await rig.close();
  });
});

describe("the generation of an actor", () => {
  it("rises from life to life, where the one before changed something, also after a crash", async () => {
    const store = new MemoryStore();
    const rig = new Rig({ subject }, { store });
    const generation = async (): Promise<number> => (await rig.instance("subject", "a")).generation;
    await rig.act("subject", "a", "get");
    assert.equal(await generation(), 1);
    for (const [action, expected] of [
      ["get", 2],
      ["add", 2],
      ["get", 3],
      ["add", 3],
    ] as const) {
      await rig.clock.advance(30_000);
      assert.equal(rig.host.awake, 0);
      await rig.act("subject", "a", action);
      assert.equal(await generation(), expected);
    }
    const next = new Rig({ subject }, { store: store.reopen(), seed: 2 });
    assert.equal((await next.instance("subject", "a")).generation, 4);
    rig.host.abandon(await failureOf(rig.store.record("", "")));
    await next.close();
  });
});
