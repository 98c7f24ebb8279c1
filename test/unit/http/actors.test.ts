import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testNode } from "../../../adapters/memory/test_node.ts";
import { actor, queue } from "../../../src/actor.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";

const counter = actor({
  state: (input: { start?: number } | undefined) => ({ count: input?.start ?? 0 }),
  queues: { jobs: queue<number, number>() },
  actions: {
    add(c, by: number) {
      c.state.count += by;
      return c.state.count;
    },
    params: (c) => c.conn?.params,
    fail() {
      throw new ActrError("user.boom", "boom message", { details: { hint: 1 } });
    },
    crash() {
      throw new Error("secret");
    },
    nothing() {},
    async work(c) {
      const message = await c.queue.next({ names: ["jobs"], completable: true });
      await message?.complete(2 * Number(message.body));
    },
  },
  actionOptions: { work: { turn: "interleaved" } },
});

const app = defineNode({ actors: { counter } });

function url(path: string, key = "a", method = "getOrCreate"): string {
  return `/gateway/counter${path}?rvt-namespace=default&rvt-method=${method}&rvt-key=${key}`;
}

function post(args: readonly unknown[], headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", body: JSON.stringify({ args }), headers };
}

describe("actors over HTTP", () => {
  it("runs actions, by key and by id, with what the answer is of in headers", async () => {
    await using t = await testNode(app);
    const first = await t.fetch(url("/action/add"), post([2]));
    assert.equal(first.status, 200);
    assert.deepEqual(await first.json(), { output: 2 });
    const id = first.headers.get("x-rivet-actor") ?? "";
    assert.equal(first.headers.get("x-rivet-actor-key"), "a");
    const second = await t.fetch(`/actors/gateway/${id}/action/add`, post([3]));
    assert.deepEqual(await second.json(), { output: 5 });
    const nothing = await t.fetch(url("/action/nothing"), post([]));
    assert.deepEqual(await nothing.json(), { output: ["$Undefined", 0] });
  });

  it("makes an actor with its input, and none where it has to be there", async () => {
    await using t = await testNode(app);
    const input = "oWVzdGFydAM";
    const made = await t.fetch(`${url("/action/add")}&rvt-input=${input}`, post([1]));
    assert.deepEqual(await made.json(), { output: 4 });
    const missing = await t.fetch(url("/action/add", "b", "get"), post([1]));
    assert.equal(missing.status, 404);
    assert.equal((await missing.json()).code, "not_found");
  });

  it("tells errors of users, and hides all others", async () => {
    await using t = await testNode(app);
    const user = await t.fetch(url("/action/fail"), post([]));
    const { actor: specifier, ...body } = await user.json();
    assert.deepEqual(body, {
      group: "user",
      code: "boom",
      message: "boom message",
      metadata: { hint: 1 },
    });
    assert.equal(specifier.key, "a");
    const crash = await t.fetch(url("/action/crash"), post([]));
    assert.equal(crash.status, 500);
    assert.doesNotMatch(await crash.text(), /secret/);
    const unknown = await t.fetch(url("/action/nope"), post([]));
    assert.equal(unknown.status, 404);
    const get = await t.fetch(url("/action/add"));
    assert.equal(get.status, 405);
    const large = await t.fetch(url("/action/add"), post(["x".repeat(70_000)]));
    assert.equal(large.status, 413);
    const broken = await t.fetch(url("/action/add"), { method: "POST", body: "{" });
    assert.ok(broken.status >= 400);
  });

  it("gives an action the parameters of its client", async () => {
    await using t = await testNode(app);
    const headers = { "x-rivet-conn-params": JSON.stringify({ user: "u" }) };
    const answer = await t.fetch(url("/action/params"), post([], headers));
    assert.deepEqual(await answer.json(), { output: { user: "u" } });
  });

  it("puts messages into queues, and waits for their completion", async () => {
    await using t = await testNode(app);
    const working = t.fetch(url("/action/work"), post([]));
    const body = JSON.stringify({ body: 21, name: "jobs", wait: true });
    const sent = await t.fetch(url("/queue/jobs"), { method: "POST", body });
    assert.deepEqual(await sent.json(), { status: "completed", response: 42 });
    assert.equal((await working).status, 200);
    const late = t.fetch(url("/queue/jobs"), {
      method: "POST",
      body: JSON.stringify({ body: 1, wait: true, timeout: 50 }),
    });
    await t.clock.advance(50);
    assert.deepEqual(await (await late).json(), { status: "timedOut" });
  });

  it("looks actors up, makes and deletes them", async () => {
    await using t = await testNode(app);
    const create = (method: string) =>
      t.fetch("/actors?namespace=default", {
        method,
        body: JSON.stringify({ name: "counter", key: "a/b", crash_policy: "sleep" }),
      });
    const made = await (await create("POST")).json();
    assert.equal(made.actor.key, "a/b");
    const again = await create("POST");
    assert.equal((await again.json()).code, "duplicate_key");
    const put = await (await create("PUT")).json();
    assert.deepEqual(put, { actor: made.actor, created: false });
    const list = async (query: string) => (await (await t.fetch(`/actors?${query}`)).json()).actors;
    assert.deepEqual(await list(`actor_ids=${made.actor.actor_id}`), [made.actor]);
    assert.deepEqual(await list("name=counter&key=a/b"), [made.actor]);
    assert.deepEqual(await list("name=counter"), [made.actor]);
    await t.fetch(`/actors/${made.actor.actor_id}`, { method: "DELETE" });
    assert.deepEqual(await list(`actor_ids=${made.actor.actor_id}`), []);
  });

  it("opens them to the token alone, where the node has one", async () => {
    await using t = await testNode(app, { actorToken: "s3cret" });
    const act = async (headers: Record<string, string>, query = "") =>
      (await t.fetch(`${url("/action/add")}${query}`, post([1], headers))).status;
    assert.equal(await act({}), 403);
    assert.equal(await act({ "x-rivet-token": "s3creT" }), 403);
    assert.equal(await act({ "x-rivet-token": "s3cret" }), 200);
    assert.equal(await act({}, "&rvt-token=s3cret"), 200);
    const list = async (headers: Record<string, string>) =>
      (await t.fetch("/actors?name=counter", { headers })).status;
    assert.equal(await list({ authorization: "Bearer wrong" }), 403);
    assert.equal(await list({ authorization: "Bearer s3cret" }), 200);
  });
});
