import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MemorySockets } from "../../../adapters/memory/memory_sockets.ts";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor, event } from "../../../src/actor.ts";
import { type ActorsOf, actorsOf } from "../../../src/actor_client.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import { HttpActors } from "../../../src/outbound/http_actors.ts";
import { failureOf } from "../host/support.ts";

const limit = { timeout: 60_000 };

const room = actor({
  state: () => ({ count: 0 }),
  events: {
    changed: event<{ count: number }>(),
    secret: event<string>({ canSubscribe: () => false }),
  },
  params: (value: unknown) => {
    if (value === "nobody") throw new ActrError("user.denied", "not you");
    return value as { user: string } | undefined;
  },
  actions: {
    add(c, by: number) {
      c.state.count += by;
      c.broadcast("changed", { count: c.state.count });
      return c.state.count;
    },
    params: (c) => c.conn?.params,
    fail() {
      throw new ActrError("user.boom", "boom", { details: { hint: 1 } });
    },
    leave: (c) => c.conn?.disconnect("bye"),
    hang: (c) => new Promise((resolve) => c.signal.addEventListener("abort", resolve)),
    end: (c) => c.destroy(),
  },
  actionOptions: { hang: { turn: "interleaved" } },
});
const app = defineNode({ actors: { room } });

/** A client of the node, and its end of the network. */
function client(t: TestNode<typeof app>, base = ""): [ActorsOf<typeof app>, MemorySockets] {
  const { clock, network } = t.world;
  const fetch = network.fetch.bind(network) as typeof globalThis.fetch;
  const sockets = network.sockets();
  const address = `http://${t.host}${base}`;
  const parts = { address, fetch, sockets, clock, random: t.world.random(), token: "s3cret" };
  return [actorsOf<typeof app>(new HttpActors(parts)), sockets];
}

const open = { actorToken: "s3cret" };

describe("connections to actors", () => {
  for (const base of ["", "/actors"]) {
    it(`bring events and answers, below ${base || "/"}`, limit, async () => {
      await using t = await testNode(app, open);
      const [{ room }] = client(t, base);
      using conn = room.get("a").connect({ user: "(ü)" });
      const seen: number[] = [];
      const off = conn.on("changed", ({ count }) => seen.push(count));
      assert.equal(conn.status, "connecting");
      assert.equal(await conn.add(2), 2);
      assert.equal(conn.status, "connected");
      assert.equal(await room.get("a").add(3), 5);
      assert.deepEqual(await conn.params(), { user: "(ü)" });
      assert.deepEqual(seen, [2, 5]);
      off();
      await conn.add(1);
      assert.deepEqual(seen, [2, 5]);
      const failure = await failureOf(conn.fail());
      assert.deepEqual([failure.code, failure.details], ["user.boom", { hint: 1 }]);
      const id = await room.get("a").resolve();
      using byId = room.withId(id).connect();
      assert.equal(await byId.add(1), 7);
    });
  }

  it("are the same for clients of the same process", limit, async () => {
    await using t = await testNode(app, open);
    const { room } = t.actors;
    using conn = room.get("a").connect({ user: "u" });
    const seen: number[] = [];
    const errors: string[] = [];
    conn.onError(({ code }) => errors.push(code));
    const off = conn.on("changed", ({ count }) => seen.push(count));
    conn.on("secret", () => {});
    assert.equal(await conn.add(2), 2);
    assert.equal(conn.status, "connected");
    await room.get("a").add(1);
    assert.deepEqual(await conn.params(), { user: "u" });
    assert.equal((await failureOf(conn.fail())).code, "user.boom");
    off();
    await conn.add(1);
    assert.deepEqual([seen, errors], [[2, 3], ["auth.forbidden"]]);
    const refused = room.get("a").connect("nobody" as never);
    assert.equal((await refused.ended)?.code, "user.denied");
    assert.equal((await failureOf(refused.add(1))).code, "actor.aborted");
    const left = room.get("a").connect();
    await left.leave().catch(() => {});
    assert.equal(await left.ended, undefined);
    const gone = new AbortController();
    const closed = room.get("a", { signal: gone.signal }).connect();
    await closed.add(1);
    gone.abort();
    assert.equal(await closed.ended, undefined);
  });

  it(
    "go on after a loss: nothing that was said is lost or done twice, on either side",
    limit,
    async () => {
      await using t = await testNode(app, open);
      const [{ room }, sockets] = client(t);
      using conn = room.get("a").connect();
      const seen: number[] = [];
      conn.on("changed", ({ count }) => seen.push(count));
      const adding: Promise<unknown>[] = [];
      for (let i = 0; i < 200; i++) {
        adding.push(conn.add(1));
        // Now before it is heard, now before the answer is, now after both.
        if (i % 3 === 1) await t.clock.settle();
        if (i % 2 === 1) sockets.dropAll();
        if (i % 5 === 1) await t.clock.advance(1000);
      }
      await t.clock.advance(60_000);
      const all = Array.from({ length: 200 }, (_, i) => i + 1);
      assert.deepEqual(await Promise.all(adding), all);
      assert.deepEqual(seen, all);
      assert.equal(t.node.actors.clients, 1);
    },
  );

  it(
    "keep what changes while they are lost: events that are listened to, and those that are not",
    limit,
    async () => {
      await using t = await testNode(app, open);
      const [{ room }, sockets] = client(t);
      using conn = room.get("a").connect();
      const [early, late]: [number[], number[]] = [[], []];
      const off = conn.on("changed", ({ count }) => early.push(count));
      assert.equal(await conn.add(1), 1);
      sockets.dropAll();
      off();
      conn.on("changed", ({ count }) => late.push(count));
      await t.clock.advance(1000);
      assert.equal(await conn.add(1), 2);
      assert.deepEqual([early, late], [[1], [2]]);
    },
  );

  it(
    "come back after their node has ended, with their subscriptions; what was asked for and not answered fails",
    limit,
    async () => {
      await using t = await testNode(app, open);
      const [{ room }] = client(t);
      using conn = room.get("a").connect();
      const seen: number[] = [];
      conn.on("changed", ({ count }) => seen.push(count));
      assert.equal(await conn.add(1), 1);
      const hanging = failureOf(conn.hang());
      await t.clock.settle();
      await t.restart({ crash: true });
      const adding = conn.add(1);
      await t.clock.advance(50_000);
      assert.equal((await hanging).code, "unavailable");
      assert.equal(await adding, 2);
      assert.deepEqual(seen, [1, 2]);
    },
  );

  it(
    "end when they are refused, when the actor ends them and when their client does",
    limit,
    async () => {
      await using t = await testNode(app, open);
      const [{ room }] = client(t);
      const refused = room.get("a").connect("nobody" as never);
      const errors: string[] = [];
      refused.onError(({ code }) => errors.push(code));
      assert.equal((await failureOf(refused.add(1))).code, "user.denied");
      assert.equal((await refused.ended)?.code, "user.denied");
      assert.deepEqual(errors, ["user.denied"]);
      assert.equal(refused.status, "closed");
      const left = room.get("a").connect();
      await left.leave().catch(() => {});
      assert.equal(await left.ended, undefined);
      const closed = room.get("a").connect();
      await closed.add(1);
      const waiting = failureOf(closed.hang());
      closed.close();
      closed.close();
      assert.equal((await waiting).code, "actor.aborted");
      assert.equal(await closed.ended, undefined);
      assert.equal((await failureOf(closed.add(1))).code, "actor.aborted");
      const destroyed = room.get("a").connect();
      await t.clock.through(destroyed.end());
      await t.clock.advance(1000);
      assert.equal((await destroyed.ended)?.code, "actor.not_found");
    },
  );

  it(
    "[H-94] tell that a subscription is refused, and what a listener throws; the rest goes on",
    limit,
    async () => {
      await using t = await testNode(app, open);
      const [{ room }] = client(t);
      using conn = room.get("a").connect();
      const errors: string[] = [];
      conn.onError(({ code }) => errors.push(code));
      await conn.add(1);
      conn.on("secret", () => {});
      conn.on("changed", () => {
        throw new ActrError("user.listener", "mine");
      });
      assert.equal(await conn.add(1), 2);
      await t.clock.settle();
      assert.deepEqual(errors, ["auth.forbidden", "user.listener"]);
      assert.equal(conn.status, "connected");
    },
  );

  it("have a deadline for every action, and one for becoming connected", limit, async () => {
    await using t = await testNode(app, open);
    const [{ room }] = client(t);
    using conn = room.get("a").connect();
    const late = failureOf(conn.hang());
    await t.clock.advance(59_000);
    const later = failureOf(conn.hang());
    await t.clock.advance(1000);
    assert.equal((await late).code, "actor.action_timed_out");
    await t.clock.advance(66_000);
    assert.ok(["actor.action_timed_out", "timed_out"].includes((await later).code));
    await t.stop();
    const lost = failureOf(conn.add(1));
    await t.clock.advance(66_000);
    assert.equal((await lost).code, "timed_out");
  });
});
