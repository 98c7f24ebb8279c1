import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { actor, type ScheduleRun } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { readSchedule, type ScheduleRow } from "../../../src/host/schedules/schedule_row.ts";
import type { Store } from "../../../src/ports/store.ts";
import { newYear, planner, plannerRig, told, WatchedStore } from "./schedules_support.ts";
import { Rig } from "./support.ts";

const historyOf = async (rig: Rig, name?: string, limit?: number): Promise<ScheduleRun[]> =>
  (await rig.act("planner", "a", "history", name, limit)) as ScheduleRun[];

/** What the row of the only schedule says on disk. */
async function storedRow(store: Store, actorId: unknown): Promise<ScheduleRow> {
  const [row] = await store.records(`actor:${actorId}`, "t:", 1);
  assert.ok(row);
  return readSchedule(row);
}

/** One actor with one action to be scheduled, which does what the test says, and one that says what it needs. */
function playing(play: (c: Parameters<typeof planner.actions.run>[0]) => unknown) {
  return actor({
    state: () => ({
      ran: [] as { label: unknown; fireId: string; dueAt: number; attempt: number }[],
    }),
    actions: {
      ...planner.actions,
      run: play,
    },
  });
}

describe("runs of schedules", () => {
  it("commits what an action changed with the end of its schedule [HD-11]", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "after", 1000, "x");
    const before = store.commits.length;
    await rig.clock.advance(1000);
    assert.deepEqual(store.commits.slice(before).map(told), [
      [
        "record.put actor-runs",
        "record.put actor t",
        "record.delete actor t",
        "record.delete alarms",
        "record.put actor s",
      ],
    ]);
    await rig.close();
  });

  it("tries again after pauses that double, as the same run, and buries what fails to the last [HD-11]", async () => {
    const tries: { fireId: string | undefined; attempt: number | undefined; at: number }[] = [];
    const clock = new FakeClock(newYear);
    const failing = playing((c) => {
      tries.push({ fireId: c.fire?.fireId, attempt: c.fire?.attempt, at: clock.now() - newYear });
      throw new ActrError("unavailable", "not now");
    });
    const rig = new Rig({ planner: failing }, { clock });
    await rig.act("planner", "a", "after", 1000, "x");
    await rig.clock.advance(60_000);
    assert.deepEqual(
      tries.map(({ at, attempt }) => [at, attempt]),
      [
        [1000, 1],
        [2000, 2],
        [4000, 3],
        [8000, 4],
      ],
    );
    assert.equal(new Set(tries.map(({ fireId }) => fireId)).size, 1);
    const [letter, ...more] = await rig.store.deadLetters(10);
    assert.equal(more.length, 0);
    assert.deepEqual([letter?.category, letter?.messageId], ["actor_schedule", tries[0]?.fireId]);
    assert.match(letter?.reason ?? "", /unavailable: not now/);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    const runs = await historyOf(rig);
    assert.deepEqual(
      runs.map(({ attempt, error }) => [attempt, error?.code]),
      [
        [4, "unavailable"],
        [3, "unavailable"],
        [2, "unavailable"],
        [1, "unavailable"],
      ],
    );
    await rig.close();
  });

  it("goes on with what repeats after a run of it was buried", async () => {
    let broken = true;
    const ran: (number | undefined)[] = [];
    const tick = playing((c) => {
      if (broken) throw new Error("broken");
      ran.push(c.fire?.dueAt);
    });
    const rig = new Rig({ planner: tick }, { clock: new FakeClock(newYear) });
    await rig.act("planner", "a", "every", "tick", 5000);
    await rig.clock.advance(12_000);
    broken = false;
    await rig.clock.advance(4000);
    assert.equal((await rig.store.deadLetters(10)).length, 1);
    assert.deepEqual(ran, [newYear + 15_000]);
    await rig.close();
  });

  it("marks on disk what goes on, counts it as interrupted when its process ends, and buries what always does", async () => {
    const attempts: (number | undefined)[] = [];
    const hanging = playing((c) => {
      attempts.push(c.fire?.attempt);
      return new Promise(() => {});
    });
    let store = new MemoryStore();
    const clock = new FakeClock(newYear);
    let rig = new Rig({ planner: hanging }, { store, clock });
    const id = await rig.act("planner", "a", "id");
    await rig.act("planner", "a", "after", 1000, "x");
    const fireId = (await storedRow(store, id))["fireId"];
    await rig.clock.advance(1000);
    for (let process = 2; process <= 5; process++) {
      const row = await storedRow(store, id);
      assert.deepEqual([row["claimedAt"], row["fireId"]], [clock.now(), fireId]);
      store = store.reopen();
      rig.host.abandon(new ActrError("stopping", "killed"));
      rig = new Rig({ planner: hanging }, { store, clock, seed: process });
      await clock.settle();
    }
    assert.deepEqual(attempts, [1, 2, 3, 4]);
    const [letter] = await store.deadLetters(10);
    assert.deepEqual([letter?.category, letter?.messageId], ["actor_schedule", fireId]);
    const runs = await historyOf(rig);
    assert.deepEqual(
      runs.map(({ attempt, error }) => [attempt, error?.code]),
      [
        [4, "schedule.interrupted"],
        [3, "schedule.interrupted"],
        [2, "schedule.interrupted"],
        [1, "schedule.interrupted"],
      ],
    );
    assert.deepEqual(await store.records("alarms", "", 10), []);
    await rig.close();
  });

  it("marks on disk before it begins what may have ended an earlier process", async () => {
    let store = new MemoryStore();
    const clock = new FakeClock(newYear);
    let begun = 0;
    // The process ends in the middle of it: nothing that it does is written.
    const deadly = playing(() => {
      begun += 1;
      store = store.reopen();
    });
    let rig = new Rig({ planner: deadly }, { store, clock });
    await rig.act("planner", "a", "after", 1000, "x");
    await clock.advance(1000);
    for (let process = 2; process <= 8; process++) {
      rig.host.abandon(new ActrError("stopping", "killed"));
      rig = new Rig({ planner: deadly }, { store, clock, seed: process });
      await clock.settle();
    }
    // The first run was not suspected; four tries are counted.
    assert.equal(begun, 5);
    assert.equal((await store.deadLetters(10))[0]?.category, "actor_schedule");
    assert.deepEqual(await store.records("alarms", "", 10), []);
    await rig.close();
  });

  it("does not mark what was due when the last process ended in order", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "after", 1000, "x");
    await rig.close();
    await store.close();
    await rig.clock.advance(5000);
    const next = new Rig({ planner }, { store: store.reopen(), clock: rig.clock, seed: 2 });
    await next.clock.settle();
    const [run] = await historyOf(next);
    assert.deepEqual([run?.attempt, run?.error], [1, undefined]);
    await next.close();
  });

  it("leaves what is due while its actor stops to the next start, which follows at once [H-75] [H-71] [HD-17]", async () => {
    let finish = () => {};
    const at: number[] = [];
    const clock = new FakeClock(newYear);
    const stopping = actor({
      actions: {
        slowly: (c) =>
          c.waitUntil(
            new Promise<void>((resolve) => {
              finish = resolve;
            }),
          ),
        after: (c, ms: number) => c.schedule.after(ms, "run"),
        rest: (c) => c.sleep(),
        run: () => void at.push(clock.now() - newYear),
      },
    });
    const rig = new Rig({ stopping }, { clock });
    await rig.act("stopping", "a", "slowly");
    await rig.act("stopping", "a", "after", 50);
    await rig.act("stopping", "a", "rest");
    await clock.advance(5000);
    assert.deepEqual(at, []);
    finish();
    await clock.settle();
    assert.deepEqual(at, [5000]);
    await rig.close();
  });

  it("may be cancelled, or set anew, by its own action", async () => {
    const rig = new Rig(
      {
        planner: playing((c) => {
          c.state.ran.push({ label: "", fireId: "", dueAt: c.fire?.dueAt ?? 0, attempt: 0 });
          if (c.state.ran.length === 1) c.schedule.every("tick", 5000, "run", "changed");
          else if (c.state.ran.length === 2) c.schedule.every("tick", 9000, "run", "changed");
          else c.schedule.cancel("tick");
        }),
      },
      { clock: new FakeClock(newYear) },
    );
    await rig.act("planner", "a", "every", "tick", 5000);
    await rig.clock.advance(120_000);
    const ran = (await rig.act("planner", "a", "ran")) as { dueAt: number }[];
    assert.deepEqual(
      ran.map(({ dueAt }) => dueAt - newYear),
      [5000, 10_000, 19_000],
    );
    assert.deepEqual(await rig.act("planner", "a", "list"), []);
    assert.equal((await historyOf(rig, "tick")).length, 3);
    await rig.close();
  });

  it("skips what falls due while the run before goes on", async () => {
    const began: number[] = [];
    const clock = new FakeClock(newYear);
    const slow = playing(async (c) => {
      began.push(clock.now() - newYear);
      await clock.sleep(12_000, { signal: c.signal });
    });
    const rig = new Rig({ planner: slow }, { clock });
    await rig.act("planner", "a", "every", "tick", 5000);
    await clock.advance(36_000);
    assert.deepEqual(began, [5000, 20_000, 35_000]);
    await rig.close();
  });

  it("buries a schedule whose action is no more", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "every", "tick", 5000);
    await rig.close();
    await rig.clock.advance(5000);
    const { run: _, ...actions } = planner.actions;
    const without = actor({ state: () => ({ ran: [] }), actions: { ...actions } as never });
    const next = new Rig({ planner: without }, { store: store.reopen(), clock: rig.clock });
    await next.clock.advance(1000);
    const [letter] = await next.store.deadLetters(10);
    assert.match(letter?.reason ?? "", /^actor.action_not_found/);
    assert.deepEqual(await next.store.records("alarms", "", 10), []);
    assert.equal((await historyOf(next, "tick"))[0]?.error?.code, "actor.action_not_found");
    await next.close();
  });

  it("tries later, and counts nothing, when the inbox is full", async () => {
    let open = () => {};
    const attempts: (number | undefined)[] = [];
    const full = actor({
      options: { maxInbox: 1 },
      actions: {
        hold: () =>
          new Promise<void>((resolve) => {
            open = resolve;
          }),
        after: (c, ms: number) => c.schedule.after(ms, "run"),
        run: (c) => void attempts.push(c.fire?.attempt),
      },
    });
    const rig = new Rig({ full }, { clock: new FakeClock(newYear) });
    await rig.act("full", "a", "after", 1000);
    const held = [rig.act("full", "a", "hold"), rig.act("full", "a", "after", 1e9)];
    await rig.clock.advance(3500);
    assert.deepEqual(attempts, []);
    open();
    await Promise.all(held);
    await rig.clock.advance(1000);
    assert.deepEqual(attempts, [1]);
    await rig.close();
  });

  it("runs again what could not be written", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "after", 1000, "x");
    store.fail("the disk is full");
    await rig.clock.advance(1000);
    store.fail(undefined);
    await rig.clock.advance(30_000);
    const ran = (await rig.act("planner", "a", "ran")) as { attempt: number }[];
    assert.deepEqual(
      ran.map(({ attempt }) => attempt),
      [1],
    );
    await rig.close();
  });

  it("stores what is scheduled at an actor's end, and deletes it with the actor [H-56]", async () => {
    const store = new WatchedStore();
    const ending = actor({
      onDestroy: (c) => void c.schedule.after(60_000, "run", 1, 2, 3),
      actions: { run: () => {}, end: (c) => c.destroy() },
    });
    const rig = new Rig({ ending }, { store, clock: new FakeClock(newYear) });
    await rig.act("ending", "a", "end");
    await rig.clock.settle();
    const rows = store.commits
      .flat()
      .flatMap((change) =>
        change.kind === "record.put" && change.key.startsWith("t:") ? [readSchedule(change)] : [],
      );
    assert.deepEqual(
      rows.map(({ args }) => args),
      [[1, 2, 3]],
    );
    assert.deepEqual(await store.records("alarms", "", 10), []);
    await rig.close();
  });
});

describe("the history of schedules", () => {
  it("tells of runs, the latest first, by name and limit", async () => {
    const { rig } = plannerRig();
    await rig.act("planner", "a", "every", "tick", 5000);
    await rig.act("planner", "a", "after", 7000, "x");
    await rig.clock.advance(10_000);
    const all = await historyOf(rig);
    assert.deepEqual(
      all.map(({ name, action, dueAt }) => [name, action, dueAt - newYear]),
      [
        ["tick", "run", 10_000],
        [undefined, "run", 7000],
        ["tick", "run", 5000],
      ],
    );
    assert.equal((await historyOf(rig, "tick")).length, 2);
    assert.deepEqual(await historyOf(rig, all[1]?.scheduleId), [all[1]]);
    assert.deepEqual(await historyOf(rig, undefined, 1), [all[0]]);
    await rig.close();
  });

  it("keeps 100 runs of one schedule and 1,000 of an actor, also over restarts", async () => {
    const { rig, store } = plannerRig();
    const id = await rig.act("planner", "a", "id");
    await rig.act("planner", "a", "every", "tick", 5000);
    await rig.clock.pass(60 * 5000);
    await rig.close();
    const next = new Rig({ planner }, { store: store.reopen(), clock: rig.clock, seed: 2 });
    await next.clock.pass(45 * 5000);
    const space = `actor-runs:${id}`;
    const ticks = await historyOf(next, "tick");
    assert.deepEqual([ticks.length, ticks[0]?.dueAt], [100, newYear + 105 * 5000]);
    assert.equal((await next.store.records(space, "", 2000)).length, 100);
    await next.act("planner", "a", "cancel", "tick");
    for (const count of [600, 500]) {
      for (let i = 0; i < count; i++) await next.act("planner", "a", "after", 1, i);
      await next.clock.advance(1);
    }
    assert.equal((await next.store.records(space, "", 2000)).length, 1000);
    await next.close();
  });
});
