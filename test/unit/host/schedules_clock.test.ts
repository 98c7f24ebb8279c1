import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { actor } from "../../../src/actor.ts";
import type { RecordEntry } from "../../../src/ports/store.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { newYear, planner, plannerRig, WatchedStore } from "./schedules_support.ts";
import { Rig } from "./support.ts";

const many = 2000;

/** A store with actors that sleep: so many have a schedule in a minute, as many one in an hour. */
async function manySleep(
  count = many,
): Promise<{ readonly store: WatchedStore; readonly clock: FakeClock }> {
  const store = new WatchedStore();
  const clock = new FakeClock(newYear);
  const rig = new Rig({ planner }, { store, clock, maxAwake: 10_000 });
  for (let i = 0; i < count; i++) {
    await rig.act("planner", `soon ${i}`, "after", 60_000, i);
    await rig.act("planner", `soon ${i}`, "after", 3_600_000, i);
  }
  await rig.close();
  return { store, clock };
}

describe("the clock of schedules", () => {
  it("runs 2,000 that are due at once, and reads nothing of those that wait but the page that they begin on", async () => {
    const { store, clock } = await manySleep();
    const rig = new Rig({ planner }, { store, clock, maxAwake: 10_000, seed: 2 });
    await clock.settle();
    store.linesRead = 0;
    await clock.advance(60_000);
    assert.equal(rig.host.awake, many);
    // The watchdog reads a page too, twice.
    assert.ok(store.linesRead <= many + 3 * 256, `${store.linesRead} lines were read`);
    const lines = await store.records("alarms", "", 2 * many);
    assert.equal(lines.length, many);
    await rig.close();
  });

  it("wakes 256 at a time, having read all lines before the first of them writes", async () => {
    const { store, clock } = await manySleep(600);
    const reads: string[] = [];
    const gate = withResolvers<void>();
    const records = store.records.bind(store);
    store.records = async (space, after, limit) => {
      reads.push(space);
      if (space.startsWith("actor:")) await gate.promise;
      return await records(space, after, limit);
    };
    const rig = new Rig({ planner }, { store, clock, maxAwake: 10_000, seed: 2 });
    await clock.advance(60_000);
    assert.equal(reads.filter((space) => space.startsWith("actor:")).length, 256);
    gate.resolve();
    await clock.settle();
    assert.equal(rig.host.awake, 600);
    const firstActor = reads.findIndex((space) => space.startsWith("actor:"));
    assert.ok(!reads.slice(firstActor).includes("alarms"));
    await rig.close();
  });

  it("has one timer, for the earliest", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "id");
    await rig.clock.settle();
    const before = rig.clock.pending;
    for (const ms of [9000, 3000, 6000]) await rig.act("planner", "a", "after", ms, "x");
    assert.equal(rig.clock.pending, before);
    store.linesRead = 0;
    await rig.clock.advance(2999);
    assert.equal(store.linesRead, 0);
    await rig.clock.advance(1);
    assert.equal(store.linesRead, 3);
    await rig.close();
  });

  it("misses nothing that falls due while it reads", async () => {
    class SlowStore extends WatchedStore {
      gate: Promise<void> | undefined;
      override async records(space: string, after: string, limit: number): Promise<RecordEntry[]> {
        const entries = await super.records(space, after, limit);
        if (space === "alarms") await this.gate;
        return entries;
      }
    }
    const store = new SlowStore();
    const rig = new Rig({ planner }, { store, clock: new FakeClock(newYear) });
    await rig.clock.settle();
    await rig.act("planner", "a", "after", 1000, "first");
    const { promise, resolve } = withResolvers<void>();
    store.gate = promise;
    await rig.clock.advance(1000);
    await rig.act("planner", "b", "after", 10, "second");
    await rig.clock.advance(100);
    resolve();
    await rig.clock.settle();
    assert.equal(((await rig.act("planner", "a", "ran")) as unknown[]).length, 1);
    assert.equal(((await rig.act("planner", "b", "ran")) as unknown[]).length, 1);
    await rig.clock.advance(20_000);
    await rig.act("planner", "c", "after", 1000, "third");
    await rig.clock.advance(1000);
    assert.equal(((await rig.act("planner", "c", "ran")) as unknown[]).length, 1);
    await rig.close();
  });

  it("hears of a schedule when it is on disk, also from an action that goes on", async () => {
    const clock = new FakeClock(newYear);
    const at: number[] = [];
    const slow = actor({
      actions: {
        async plan(c) {
          c.schedule.after(0, "run");
          await clock.sleep(2000, { signal: c.signal });
        },
        run: () => void at.push(clock.now() - newYear),
      },
    });
    const rig = new Rig({ slow }, { clock });
    const planned = rig.act("slow", "a", "plan");
    await clock.advance(3000);
    await planned;
    assert.deepEqual(at, [2000]);
    await rig.close();
  });

  it("reads again when the index could not be read", async () => {
    class BrokenStore extends WatchedStore {
      broken = false;
      override records(space: string, after: string, limit: number): Promise<RecordEntry[]> {
        if (this.broken && space === "alarms") throw new Error("the disk is gone");
        return super.records(space, after, limit);
      }
    }
    const store = new BrokenStore();
    const rig = new Rig({ planner }, { store, clock: new FakeClock(newYear) });
    await rig.act("planner", "a", "after", 1000, "x");
    store.broken = true;
    await rig.clock.advance(1500);
    assert.ok(rig.logged("actor.alarms_unreadable").length > 0);
    store.broken = false;
    await rig.clock.advance(500);
    assert.equal(((await rig.act("planner", "a", "ran")) as unknown[]).length, 1);
    await rig.close();
  });

  it("drains what is overdue at its start, and by the watchdog what was left", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "after", 60_000, "x");
    await rig.close();
    await rig.clock.advance(3_600_000);
    const next = new Rig({ planner }, { store: store.reopen(), clock: rig.clock, seed: 2 });
    await next.clock.settle();
    assert.equal(((await next.act("planner", "a", "ran")) as unknown[]).length, 1);
    await next.act("planner", "a", "after", 1000, "y");
    // Its actor is unknown to this process for a while.
    await next.close();
    const without = new Rig({}, { store: next.store, clock: rig.clock, seed: 3 });
    await without.clock.advance(2000);
    assert.equal(without.logged("actor.alarm_failed").length, 1);
    await without.clock.advance(28_000);
    assert.equal(without.logged("actor.alarm_failed").length, 2);
    await without.close();
  });
});
