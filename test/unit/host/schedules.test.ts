import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import type { Schedule } from "../../../src/actor.ts";
import { newYear, planner, plannerRig, told } from "./schedules_support.ts";
import { failureOf, Rig } from "./support.ts";

type Ran = readonly { readonly label: unknown; readonly dueAt: number; readonly fireId: string }[];

const ranOf = async (rig: Rig): Promise<Ran> => (await rig.act("planner", "a", "ran")) as Ran;

describe("schedules of an actor", () => {
  it("runs an action after a while, and at a time, without a connection [H-74]", async () => {
    const { rig } = plannerRig();
    await rig.act("planner", "a", "after", 60_000, "later");
    await rig.act("planner", "a", "at", newYear - 1, 1, 2, 3);
    await rig.clock.settle();
    assert.deepEqual(
      (await ranOf(rig)).map(({ label }) => label),
      [[1, 2, 3]],
    );
    await rig.clock.advance(59_999);
    assert.equal((await ranOf(rig)).length, 1);
    await rig.clock.advance(1);
    const [, later] = await ranOf(rig);
    assert.deepEqual([later?.label, later?.dueAt], ["later", newYear + 60_000]);
    assert.deepEqual(await rig.act("planner", "a", "list"), []);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    await rig.close();
  });

  it("lists by time, finds by id and name, and cancels", async () => {
    const { rig } = plannerRig();
    const id = await rig.act("planner", "a", "after", 9000, "x");
    await rig.act("planner", "a", "every", "tick", 5000);
    const list = (await rig.act("planner", "a", "list")) as Schedule[];
    assert.deepEqual(
      list.map(({ name, everyMs, dueAt }) => [name, everyMs, dueAt - newYear]),
      [
        ["tick", 5000, 5000],
        [undefined, undefined, 9000],
      ],
    );
    assert.deepEqual(Object.keys(list[0] ?? {}).includes("fireId"), false);
    assert.deepEqual(await rig.act("planner", "a", "get", "tick"), list[0]);
    assert.deepEqual(await rig.act("planner", "a", "get", id), list[1]);
    assert.equal(await rig.act("planner", "a", "get", "none"), undefined);
    assert.equal(await rig.act("planner", "a", "cancel", "tick"), true);
    assert.equal(await rig.act("planner", "a", "cancel", id), true);
    assert.equal(await rig.act("planner", "a", "cancel", "tick"), false);
    await rig.clock.advance(20_000);
    assert.deepEqual(await ranOf(rig), []);
    await rig.close();
  });

  it("changes nothing when a named schedule is set as it is [H-72] [H-8]", async () => {
    const { rig, store } = plannerRig();
    const id = await rig.act("planner", "a", "every", "tick", 5000);
    await rig.act("planner", "a", "cron", "noon", "0 12 * * *", "UTC");
    await rig.act("planner", "a", "set", { name: "once", at: newYear + 7000 }, "run");
    await rig.clock.advance(3000);
    const before = store.commits.length;
    assert.equal(await rig.act("planner", "a", "every", "tick", 5000), id);
    await rig.act("planner", "a", "cron", "noon", "0 12 * * *", "UTC");
    await rig.act("planner", "a", "set", { name: "once", at: newYear + 7000 }, "run");
    assert.equal(store.commits.length, before);
    assert.equal(
      ((await rig.act("planner", "a", "get", "tick")) as Schedule).dueAt,
      newYear + 5000,
    );
    await rig.close();
  });

  it("writes one line of the index when a time is set, and in place of it when it changes [H-9] [H-73] [HD-12]", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "id");
    await rig.act("planner", "a", "set", { name: "once", at: newYear + 7000 }, "run");
    assert.deepEqual(told(store.commits.at(-1)), ["record.put actor t", "record.put alarms"]);
    await rig.act("planner", "a", "set", { name: "once", at: newYear + 9000 }, "run");
    assert.deepEqual(told(store.commits.at(-1)), [
      "record.put actor t",
      "record.delete alarms",
      "record.put alarms",
    ]);
    assert.equal((await store.records("alarms", "", 10)).length, 1);
    await rig.clock.advance(8000);
    assert.deepEqual(await ranOf(rig), []);
    await rig.clock.advance(1000);
    assert.equal((await ranOf(rig)).length, 1);
    await rig.close();
  });

  it("keeps the time of what repeats when only what it does changes", async () => {
    const { rig } = plannerRig();
    await rig.act("planner", "a", "every", "tick", 5000, "old");
    await rig.clock.advance(3000);
    await rig.act("planner", "a", "every", "tick", 5000, "new");
    await rig.clock.advance(2000);
    assert.deepEqual(
      (await ranOf(rig)).map(({ label }) => label),
      ["new"],
    );
    await rig.act("planner", "a", "every", "tick", 6000, "new");
    assert.equal(
      ((await rig.act("planner", "a", "get", "tick")) as Schedule).dueAt,
      newYear + 11_000,
    );
    await rig.close();
  });

  it("makes up once for what a repeating schedule missed", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "every", "tick", 5000);
    await rig.act("planner", "a", "cron", "minute", "* * * * *", "UTC");
    await rig.close();
    await rig.clock.advance(3_600_001);
    const next = new Rig({ planner }, { store: store.reopen(), clock: rig.clock, seed: 2 });
    await next.clock.settle();
    assert.deepEqual(
      (await ranOf(next)).map(({ label, dueAt }) => [label, dueAt - newYear]),
      [
        ["tick", 5000],
        ["minute", 60_000],
      ],
    );
    await next.clock.advance(5000);
    assert.equal((await ranOf(next)).at(-1)?.dueAt, newYear + 3_605_000);
    await next.close();
  });

  it("runs what is stored once after a restart, when it is due [H-14]", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "after", 60_000, "x");
    await rig.close();
    const next = new Rig({ planner }, { store: store.reopen(), clock: rig.clock, seed: 2 });
    await next.clock.advance(59_999);
    assert.equal(next.host.awake, 0);
    await next.clock.advance(120_001);
    assert.equal((await ranOf(next)).length, 1);
    await next.close();
  });

  it("follows the clocks of a time zone", async () => {
    const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
      // 02:30 does not exist on 29 March: the end of the gap.
      ["30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["03-29T01:00", "03-30T00:30"]],
      // 02:30 comes twice on 25 October: the first.
      ["30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["10-25T00:30", "10-26T01:30"]],
      ["0 9 * * 1-5", "America/New_York", "2026-03-06T15:00Z", ["03-09T13:00", "03-10T13:00"]],
      ["0 9 * * *", "Asia/Kathmandu", "2026-06-01T00:00Z", ["06-01T03:15", "06-02T03:15"]],
      // Its clocks move by half an hour.
      ["15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00Z", ["10-03T15:30", "10-04T15:15"]],
    ];
    for (const [expression, zone, from, due] of cases) {
      const rig = new Rig({ planner }, { clock: new FakeClock(Date.parse(from)) });
      await rig.act("planner", "a", "cron", "job", expression, zone);
      await rig.clock.advance(5 * 86_400_000);
      const ran = (await ranOf(rig)).slice(0, 2);
      const times = ran.map(({ dueAt }) => new Date(dueAt).toISOString().slice(5, 16));
      assert.deepEqual(times, due, `${expression} ${zone}`);
      await rig.close();
    }
  });

  it("refuses what cannot be", async () => {
    const { rig } = plannerRig();
    const code = async (...call: [string, ...unknown[]]) =>
      (await failureOf(rig.act("planner", "a", ...call))).code;
    assert.equal(await code("at", Number.NaN), "schedule.invalid");
    assert.equal(await code("at", 1e15), "schedule.invalid");
    assert.equal(await code("at", newYear, "x".repeat(65_536)), "schedule.invalid");
    assert.equal(await code("every", "tick", 4999), "schedule.invalid");
    assert.equal(await code("every", "", 5000), "schedule.invalid");
    assert.equal(await code("every", "ä".repeat(65), 5000), "schedule.invalid");
    assert.equal(await code("set", { at: newYear, maxRetries: -1 }, "run"), "schedule.invalid");
    assert.equal(await code("set", { at: newYear }, "none"), "actor.action_not_found");
    assert.equal(await code("cron", "c", "* * * *", "UTC"), "schedule.invalid");
    assert.equal(await code("cron", "c", "* * * * * *", "UTC"), "schedule.invalid");
    assert.equal(await code("cron", "c", "61 * * * *", "UTC"), "schedule.invalid");
    assert.equal(await code("cron", "c", "0 0 31 2 *", "UTC"), "schedule.invalid");
    assert.equal(await code("cron", "c", "0 0 * * *", "Mars/Base"), "schedule.invalid");
    assert.deepEqual(await rig.act("planner", "a", "list"), []);
    await rig.close();
  });

  it("holds 1,000 schedules, and lets those be set anew", async () => {
    const { rig } = plannerRig();
    await rig.act("planner", "a", "every", "tick", 5000);
    for (let i = 1; i < 1000; i++) await rig.act("planner", "a", "after", 1e9 + i, "x");
    assert.equal((await failureOf(rig.act("planner", "a", "after", 1, "x"))).code, "schedule.full");
    await rig.act("planner", "a", "every", "tick", 6000);
    await rig.act("planner", "a", "cancel", "tick");
    await rig.act("planner", "a", "after", 1e9, "x");
    await rig.close();
  });

  it("keeps what waits while its actor sleeps, and leaves nothing of an actor that ends [H-57]", async () => {
    const { rig, store } = plannerRig();
    await rig.act("planner", "a", "after", 90_000, "x");
    await rig.act("planner", "a", "after", 1000, "y");
    await rig.clock.advance(1000);
    const id = await rig.act("planner", "a", "id");
    assert.equal((await store.records(`actor-runs:${id}`, "", 10)).length, 1);
    const before = store.commits.length;
    await rig.act("planner", "a", "rest");
    await rig.clock.settle();
    assert.equal(rig.host.awake, 0);
    const unlisted = () =>
      store.commits
        .slice(before)
        .flatMap(told)
        .filter((each) => each === "record.delete alarms");
    assert.deepEqual(unlisted(), []);
    await rig.act("planner", "a", "end");
    await rig.clock.settle();
    assert.equal(unlisted().length, 1);
    for (const space of ["alarms", `actor:${id}`, `actor-runs:${id}`]) {
      assert.deepEqual(await store.records(space, "", 10), [], space);
    }
    await rig.clock.advance(200_000);
    assert.equal(rig.host.awake, 0);
    await rig.close();
  });
});
