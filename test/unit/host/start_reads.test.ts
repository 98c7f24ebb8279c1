import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor, queue } from "../../../src/actor.ts";
import type { RecordEntry } from "../../../src/ports/store.ts";
import { HeldStore } from "./held_store.ts";
import { failureOf, Rig } from "./support.ts";

/** A store that writes down what is read, without the id of the only actor. */
class ReadStore extends HeldStore {
  readonly reads: string[] = [];

  override record(space: string, key: string): Promise<Uint8Array | undefined> {
    this.reads.push(`${space.replace(/:.*/, "")}/${key}`);
    return super.record(space, key);
  }

  override nextSpace(after: string): Promise<string | undefined> {
    this.reads.push(`next/${after}`);
    return super.nextSpace(after);
  }

  override records(space: string, afterKey: string, limit: number): Promise<RecordEntry[]> {
    this.reads.push(`${space.replace(/:.*/, "")}/${afterKey}+${limit}`);
    return super.records(space, afterKey, limit);
  }
}

/** What `run` found when it began. */
const found: unknown[] = [];
let made = 0;

const subject = actor({
  state: (input: { start: number } | undefined) => {
    made += 1;
    return { count: input?.start ?? 0 };
  },
  queues: { jobs: queue<number>() },
  async run(c) {
    found.push(c.state.count);
    await c.queue.next();
  },
  actions: {
    get: (c) => c.state.count,
    add(c) {
      c.state.count += 1;
    },
    later: (c) => c.schedule.after(3_600_000, "get"),
    schedules: (c) => c.schedule.list().length,
    many(c, count: number) {
      for (let i = 0; i < count; i++) c.schedule.after(3_600_000, "get", "x");
    },
  },
  options: { maxSchedules: 3000 },
});

async function begin(): Promise<{ rig: Rig; store: ReadStore }> {
  found.length = 0;
  made = 0;
  const store = new ReadStore();
  const rig = new Rig({ subject }, { store });
  await rig.clock.settle();
  store.reads.length = 0;
  return { rig, store };
}

/** Lets it sleep, and forgets what was read. */
async function asleep(rig: Rig, store: ReadStore): Promise<void> {
  await rig.clock.advance(31_000);
  assert.equal(rig.host.awake, 0);
  store.reads.length = 0;
}

describe("what a start reads", () => {
  it("[H-1] is what was stored: of whoever asks again, the input is not used", async () => {
    const { rig, store } = await begin();
    const target = (start: number) => ({
      ...{ name: "subject", key: ["a"] },
      create: { input: { start } },
    });
    await rig.act("subject", target(40), "add");
    // New: `run` began with what the input made, and the actor was handed to the store before.
    assert.deepEqual([found, made], [[40], 1]);
    assert.ok(store.commits[0]?.some(({ kind }) => kind === "record.put"));
    await asleep(rig, store);
    assert.equal(await rig.act("subject", target(7), "get"), 41);
    assert.deepEqual([found, made], [[40, 41], 1]);
    await rig.close();
  });

  it("[H-2] is nothing for an actor that is known to be new, beyond whether there is one", async () => {
    const { rig, store } = await begin();
    assert.equal(await rig.act("subject", "a", "get"), 0);
    assert.deepEqual(store.reads, ["actors/subject\na"]);
    await rig.close();
  });

  it("[H-4][H-5] is one range: nothing in it is read again, and no alarm", async () => {
    const { rig, store } = await begin();
    await rig.act("subject", "a", "add");
    await rig.act("subject", "a", "later");
    await asleep(rig, store);
    assert.equal(await rig.act("subject", "a", "get"), 1);
    assert.equal(await rig.act("subject", "a", "schedules"), 1);
    assert.deepEqual(store.reads, ["actors/subject\na", "actor/+1000"]);
    await rig.close();
  });

  it("[H-3] is, of what is not in the range that was read, the rest alone", async () => {
    const { rig, store } = await begin();
    await rig.act("subject", "a", "many", 1500);
    await asleep(rig, store);
    assert.equal(await rig.act("subject", "a", "schedules"), 1500);
    assert.equal(store.reads.length, 3);
    const [last = ""] = store.reads.splice(2);
    assert.deepEqual(store.reads, ["actors/subject\na", "actor/+1000"]);
    assert.match(last, /^actor\/t:.*\+1000$/);
    await rig.close();
  });

  it("is read from the store alone after the process has ended", async () => {
    const { rig, store } = await begin();
    await rig.act("subject", "a", "add");
    const next = new Rig({ subject }, { store: store.reopen(), seed: 2 });
    assert.equal(await next.act("subject", "a", "get"), 1);
    rig.host.abandon(await failureOf(rig.store.record("", "")));
    await next.close();
  });
});
