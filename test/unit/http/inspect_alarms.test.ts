import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "@roost/edge/testing";
import { actor } from "../../../src/actor.ts";
import { defineNode } from "../../../src/define.ts";
import type { AlarmPage } from "../../../src/inspector/alarms.ts";

const planner = actor({
  actions: {
    plan(c, ms: number) {
      return c.schedule.after(ms, "ring");
    },
    repeat(c) {
      c.schedule.cron({ name: "daily", expression: "0 3 * * *" }, "ring");
      c.schedule.every("often", 60_000, "fail");
    },
    ring() {},
    fail() {
      throw new Error("broken");
    },
  },
});

const app = defineNode({ actors: { planner } });
const inspectToken = "t";

async function ask(t: TestNode, query = "", token = inspectToken): Promise<Response> {
  return await t.fetch(`/inspect/alarms${query}`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

async function alarms(t: TestNode, query = ""): Promise<AlarmPage> {
  const response = await ask(t, query);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as AlarmPage;
}

describe("/inspect/alarms", () => {
  it("lists the schedules of all actors by when they run next, also those of sleeping ones", async () => {
    await using t = await testNode(app, { inspectToken });
    assert.deepEqual(await alarms(t), { alarms: [], next: null });
    const begin = t.clock.now();
    const late = await t.actors.planner.get("b").plan(900_000);
    const soon = await t.actors.planner.get(["a", "x/y"]).plan(600_000);
    const actorId = await t.actors.planner.get("b").resolve();
    await t.clock.advance(120_000);
    const page = await alarms(t);
    assert.deepEqual(
      page.alarms.map(({ id, key }) => [id, key]),
      [
        [soon, "a/x\\/y"],
        [late, "b"],
      ],
    );
    assert.deepEqual(page.alarms[1], {
      id: late,
      name: null,
      actorId,
      actor: "planner",
      key: "b",
      action: "ring",
      dueAt: begin + 900_000,
      nextAt: begin + 900_000,
      failures: 0,
      everyMs: null,
      cron: null,
      timeZone: null,
    });
    await t.clock.advance(500_000);
    assert.deepEqual(
      (await alarms(t)).alarms.map(({ id }) => id),
      [late],
    );
  });

  it("tells what repeats, and how often it has failed", async () => {
    await using t = await testNode(app, { inspectToken });
    await t.actors.planner.get("a").repeat();
    await t.clock.advance(60_000);
    const found = new Map((await alarms(t)).alarms.map((each) => [each.name, each]));
    const { cron, timeZone, everyMs, failures } = found.get("daily") ?? {};
    assert.deepEqual([cron, timeZone, everyMs, failures], ["0 3 * * *", "UTC", null, 0]);
    const often = found.get("often");
    assert.deepEqual([often?.everyMs, often?.failures], [60_000, 1]);
    assert.ok(often !== undefined && often.nextAt > often.dueAt);
  });

  it("gives them page by page", async () => {
    await using t = await testNode(app, { inspectToken });
    const ids = [];
    for (const ms of [1, 2, 3]) ids.push(await t.actors.planner.get("a").plan(ms * 60_000));
    const first = await alarms(t, "?limit=2");
    assert.deepEqual(
      first.alarms.map(({ id }) => id),
      ids.slice(0, 2),
    );
    const rest = await alarms(t, `?limit=2&after=${encodeURIComponent(first.next ?? "")}`);
    assert.deepEqual([rest.alarms.map(({ id }) => id), rest.next], [ids.slice(2), null]);
  });

  it("is for who has the token, and refuses what it does not know", async () => {
    await using t = await testNode(app, { inspectToken });
    assert.equal((await ask(t, "", "wrong")).status, 401);
    for (const query of ["?limit=0", "?limit=101", "?limit=x", "?name=a", "?after="]) {
      assert.equal((await ask(t, query)).status, 400, query);
    }
  });
});
