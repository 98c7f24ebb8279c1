import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor } from "../../../src/actor.ts";
import { actorStateOf } from "../../../src/host/contents.ts";
import type { WatchedPart } from "../../../src/host/inspection/inspection_watch.ts";
import { decodeCbor } from "../../../src/protocol/cbor/decode.ts";
import { HeldStore } from "./held_store.ts";
import { Rig } from "./support.ts";

/** Lets the actions that go on end. */
let release = (): void => {};

const counter = actor({
  state: () => ({ count: 0 }),
  actions: {
    add(c, by: number) {
      c.state.count += by;
    },
    async begin(c, by: number) {
      c.state.count += by;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    },
  },
  options: { saveIntervalMs: 10_000 },
});

/** Who looks, and what it was told. */
class Recorder {
  readonly states: unknown[] = [];
  readonly parts: WatchedPart[] = [];

  state(encoded: Uint8Array): void {
    this.states.push(decodeCbor(encoded));
  }

  changed(part: WatchedPart): void {
    this.parts.push(part);
  }
}

async function openRig(): Promise<{ rig: Rig; store: HeldStore; id: string }> {
  const store = new HeldStore();
  const rig = new Rig({ counter }, { store });
  await rig.act("counter", "a", "add", 1);
  const { id } = await rig.instance("counter", "a");
  return { rig, store, id };
}

describe("who looks at an actor", () => {
  it("[H-28] is what makes a deadline for changes: none before it comes, none after it goes", async () => {
    const { rig, id } = await openRig();
    const instance = await rig.instance("counter", "a");
    const going = rig.act("counter", "a", "begin", 1);
    await rig.clock.settle();
    assert.equal(instance.saving.isDue, true);
    const timers = rig.clock.pending;
    assert.equal(instance.watch === undefined, true);
    const stops = [rig.host.watch(id, new Recorder()), rig.host.watch(id, new Recorder())];
    const { watch } = instance;
    assert.equal(watch?.isDue, true);
    assert.equal(rig.clock.pending, timers + 1);
    stops[0]?.();
    assert.equal(instance.watch, watch);
    assert.equal(watch?.isDue, true);
    stops[1]?.();
    stops[1]?.();
    assert.equal(instance.watch, undefined);
    assert.equal(rig.clock.pending, timers);
    release();
    await going;
    await rig.close();
  });

  it("[H-29] is shown what changed in memory once, 50 ms after the first change, and nothing is saved by that", async () => {
    const { rig, store, id } = await openRig();
    const recorder = new Recorder();
    rig.host.watch(id, recorder);
    const instance = await rig.instance("counter", "a");
    const commits = store.commits.length;
    const going = rig.act("counter", "a", "begin", 1);
    await rig.clock.advance(30);
    (instance.saving.state as { count: number }).count += 1;
    await rig.clock.advance(19);
    assert.deepEqual(recorder.states, []);
    await rig.clock.advance(1);
    assert.deepEqual(recorder.states, [{ count: 3 }]);
    assert.deepEqual([instance.saving.isDue, store.commits.length], [true, commits]);
    assert.deepEqual(decodeCbor((await actorStateOf(store, id)) ?? new Uint8Array(0)), {
      count: 1,
    });
    assert.deepEqual(instance.saving.rawState, { count: 3 });
    await rig.clock.advance(1_000);
    assert.equal(recorder.states.length, 1);
    const [overlay] = rig.logged("inspector.overlay");
    assert.deepEqual(overlay?.attributes["receiver_count"], 1);
    release();
    await going;
    await rig.close();
  });

  it("[H-30] is not shown what a save is about to write, and is told when that is on disk", async () => {
    const { rig, store, id } = await openRig();
    const recorder = new Recorder();
    rig.host.watch(id, recorder);
    const { watch } = await rig.instance("counter", "a");
    store.hold();
    const adding = rig.act("counter", "a", "add", 4);
    await rig.clock.settle();
    assert.equal(watch?.isDue, false);
    await rig.clock.advance(500);
    assert.deepEqual(recorder.states, []);
    store.release();
    await adding;
    assert.deepEqual(decodeCbor((await actorStateOf(store, id)) ?? new Uint8Array(0)), {
      count: 5,
    });
    await rig.clock.advance(50);
    assert.deepEqual(recorder.states, [{ count: 5 }]);
    await rig.close();
  });

  it("is told within 50 ms, however fast changes follow each other", async () => {
    const { rig, id } = await openRig();
    const recorder = new Recorder();
    rig.host.watch(id, recorder);
    for (let n = 0; n < 100; n++) {
      await rig.act("counter", "a", "add", 1);
      await rig.clock.advance(10);
    }
    assert.ok(recorder.states.length >= 16 && recorder.states.length <= 20);
    assert.deepEqual(recorder.states.at(-1), { count: 101 });
    await rig.close();
  });

  it("is not shown a state that cannot be written, and is shown the next one", async () => {
    const { rig, id } = await openRig();
    const recorder = new Recorder();
    const instance = await rig.instance("counter", "a");
    rig.host.watch(id, recorder);
    const going = rig.act("counter", "a", "begin", 1);
    const raw = instance.saving.rawState as Record<string, unknown>;
    raw["self"] = raw;
    await rig.clock.advance(50);
    assert.deepEqual(recorder.states, []);
    assert.equal(rig.logged("inspector.overlay_failed").length, 1);
    delete raw["self"];
    (instance.saving.state as { count: number }).count = 9;
    await rig.clock.advance(50);
    assert.deepEqual(recorder.states, [{ count: 9 }]);
    release();
    await going;
    await rig.close();
  });
});
