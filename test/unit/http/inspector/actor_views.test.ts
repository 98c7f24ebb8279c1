import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ActorPage } from "../../../../src/http/inspector/actor_list.ts";
import type { QueueJson, ScheduleJson, SummaryJson } from "../../../../src/http/inspector/views.ts";
import { ask, get, openNode, releases, sends } from "./support.ts";

describe("/inspect/actors", () => {
  it("[H-91] answers 401 without the token, and with a wrong one, to all of it", async () => {
    await using t = await openNode();
    const id = await t.actors.room.get("a").resolve();
    const paths = ["", `/${id}/state`, `/${id}/summary`, `/${id}/action/add`, "/none/state"];
    for (const path of paths) {
      for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "Basic x" }]) {
        const asked = [
          t.fetch(`/inspect/actors${path}`, { headers }),
          t.fetch(`/inspect/actors${path}`, { headers, ...sends("PATCH", { state: 1 }) }),
        ];
        for (const response of await Promise.all(asked)) {
          assert.equal(response.status, 401, path);
          assert.doesNotMatch(await response.text(), /count/);
        }
      }
    }
    const upper = { authorization: "BEARER a-token-of-the-test" };
    assert.equal((await t.fetch("/inspect/actors", { headers: upper })).status, 200);
  });

  it("lists definitions and their actors, page by page, without waking any", async () => {
    await using t = await openNode();
    for (const key of ["a", "b", "c"]) await t.actors.room.get(key).add(1);
    await t.clock.advance(60_000);
    await t.actors.room.get("b").add(1);
    assert.deepEqual(await get(t, "/actors"), {
      kinds: [
        { name: "room", awake: 1 },
        { name: "stateless", awake: 0 },
      ],
    });
    const first = await get<ActorPage>(t, "/actors?name=room&limit=2");
    assert.deepEqual(
      first.actors.map(({ key, lifecycle }) => [key, lifecycle]),
      [
        ["a", "asleep"],
        ["b", "started"],
      ],
    );
    const rest = await get<ActorPage>(t, `/actors?name=room&limit=2&after=${first.next}`);
    assert.deepEqual([rest.actors.map(({ key }) => key), rest.next], [["c"], null]);
    assert.equal((await ask(t, "/actors?name=nobody")).status, 400);
    for (const limit of ["0", "501", "x"]) {
      assert.equal((await ask(t, `/actors?name=room&limit=${limit}`)).status, 400, limit);
    }
  });

  it("shows an actor as it is, awake and asleep, and does not wake it", async () => {
    await using t = await openNode();
    const a = t.actors.room.get("a");
    await a.add(3);
    await a.put(7);
    const id = await a.resolve();
    const summary = await get<SummaryJson>(t, `/actors/${id}/summary`);
    const { state, lifecycle, queueSize, isStateEnabled, name, key, rpcs } = summary;
    assert.deepEqual(state, {
      count: 3,
      seen: ["$Map", [["a", 1]]],
      at: ["$Date", 5],
    });
    assert.deepEqual(
      [lifecycle, queueSize, isStateEnabled, name, key],
      ["started", 1, true, "room", "a"],
    );
    assert.ok(rpcs.includes("add"));
    await t.clock.advance(60_000);
    const asleep = await get<SummaryJson>(t, `/actors/${id}/summary`);
    assert.deepEqual([asleep.lifecycle, asleep.state], ["asleep", state]);
    await get(t, `/actors/${id}/queue`);
    await get(t, `/actors/${id}/schedules`);
    assert.equal((await get<SummaryJson>(t, `/actors/${id}/summary`)).lifecycle, "asleep");
    const empty = await t.actors.stateless.get("x").resolve();
    const none = await get<Record<string, unknown>>(t, `/actors/${empty}/state`);
    assert.deepEqual(none, { state: null, isStateEnabled: false });
  });

  it("changes the state in a turn: saved, told to the actor, and kept over a sleep", async () => {
    await using t = await openNode();
    const a = t.actors.room.get("a");
    const id = await a.resolve();
    const state = { count: 40, seen: ["$Map", [[["$BigInt", "9"], null]]], at: ["$Number", "NaN"] };
    assert.deepEqual(await get(t, `/actors/${id}/state`, sends("PATCH", { state })), { ok: true });
    assert.equal(await a.add(2), 42);
    await t.clock.advance(60_000);
    const kept = await get<{ state: unknown }>(t, `/actors/${id}/state`);
    assert.deepEqual(kept.state, { ...state, count: 42 });
  });

  it("has an edit wait for the turn that goes on", async () => {
    await using t = await openNode();
    const a = t.actors.room.get("a");
    const id = await a.resolve();
    const going = a.slowly(1);
    const editing = get(t, `/actors/${id}/state`, sends("PATCH", { state: { count: 5 } }));
    await t.clock.advance(0);
    const during = await get<{ state: { count: number } }>(t, `/actors/${id}/state`);
    assert.equal(during.state.count, -1);
    for (const release of releases.splice(0)) release();
    await Promise.all([going, editing]);
    const after = await get<{ state: { count: number } }>(t, `/actors/${id}/state`);
    assert.equal(after.state.count, 5);
  });

  it("runs actions, and tells an operator what they throw", async () => {
    await using t = await openNode();
    const id = await t.actors.room.get("a").resolve();
    const run = (name: string, ...args: unknown[]): Promise<Response> =>
      ask(t, `/actors/${id}/action/${name}`, sends("POST", { args }));
    assert.deepEqual(await (await run("add", 2)).json(), { output: 2 });
    const sets = await (await run("echo", ["$Set", [1]], ["$$x", 1])).json();
    assert.deepEqual(sets, {
      output: [
        ["$Set", [1]],
        ["$$x", 1],
      ],
    });
    assert.deepEqual(await (await run("caller")).json(), { output: true });
    const failed = await run("fail");
    assert.equal(failed.status, 500);
    assert.match(await failed.text(), /broken inside/);
    assert.equal((await run("nope")).status, 404);
  });

  it("shows queues, schedules and values with limits", async () => {
    await using t = await openNode();
    const a = t.actors.room.get("a");
    for (let n = 0; n < 5; n++) await a.put(n);
    const scheduleId = await a.plan();
    await a.keep("k1", { x: 1 });
    await a.keep("k2", 2);
    const id = await a.resolve();
    const queue = await get<QueueJson>(t, `/actors/${id}/queue?limit=2`);
    assert.deepEqual([queue.size, queue.truncated, queue.maxSize], [5, true, 1000]);
    assert.deepEqual(
      queue.messages.map(({ name, body, attempts }) => [name, body, attempts]),
      [
        ["jobs", { n: 0 }, 0],
        ["jobs", { n: 1 }, 0],
      ],
    );
    const all = await get<QueueJson>(t, `/actors/${id}/queue`);
    assert.deepEqual([all.messages.length, all.truncated], [5, false]);
    const planned = await get<{ schedules: ScheduleJson[]; runs: unknown[] }>(
      t,
      `/actors/${id}/schedules`,
    );
    assert.deepEqual(
      planned.schedules.map((each) => [each.id, each.action, each.args]),
      [[scheduleId, "add", [1]]],
    );
    await t.clock.advance(60_000);
    const ran = await get<{ schedules: unknown[]; runs: { scheduleId: string }[] }>(
      t,
      `/actors/${id}/schedules`,
    );
    assert.deepEqual([ran.schedules, ran.runs.map((each) => each.scheduleId)], [[], [scheduleId]]);
    const values = await get(t, `/actors/${id}/values?limit=1`);
    assert.deepEqual(values, { values: [{ key: "k1", value: { x: 1 } }], next: "k1" });
    for (const view of ["queue", "schedules", "values"]) {
      for (const limit of ["0", "501", "1.5"]) {
        assert.equal((await ask(t, `/actors/${id}/${view}?limit=${limit}`)).status, 400);
      }
    }
  });

  it("refuses what it does not know, and what is too much", async () => {
    await using t = await openNode();
    const id = await t.actors.room.get("a").resolve();
    const ping = await t.actors.stateless.get("x").resolve();
    const statuses = async (path: string, init: RequestInit): Promise<number> =>
      (await ask(t, `/actors/${path}`, init)).status;
    assert.equal(await statuses("none/state", {}), 404);
    assert.equal(await statuses(`${id}/nothing`, {}), 404);
    assert.equal(await statuses(`${id}/toString`, {}), 404);
    assert.equal(await statuses(`${id}/state`, { method: "PATCH", body: "{" }), 400);
    assert.equal(await statuses(`${id}/state`, sends("PATCH", [])), 400);
    assert.equal(await statuses(`${id}/state`, sends("PATCH", { state: ["$Nope", 1] })), 400);
    assert.equal(await statuses(`${ping}/state`, sends("PATCH", { state: 1 })), 400);
    const deep = `${"[".repeat(1_000)}${"]".repeat(1_000)}`;
    const body = `{"state":${deep}}`;
    assert.equal(await statuses(`${id}/state`, { method: "PATCH", body }), 400);
    const large = JSON.stringify({ state: "x".repeat(4 * 1024 * 1024) });
    assert.equal(await statuses(`${id}/state`, { method: "PATCH", body: large }), 413);
    const { state } = await get<{ state: { count: number } }>(t, `/actors/${id}/state`);
    assert.equal(state.count, 0);
  });
});
