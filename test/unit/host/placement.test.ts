import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor, queue } from "../../../src/actor.ts";
import { defineNode } from "../../../src/define.ts";
import { readPlacement } from "../../../src/host/placement/rows.ts";
import { shardCount, shardedId, shardOf, shardOfId } from "../../../src/host/placement/shards.ts";
import { actorRoutes, encodeAct } from "../../../src/protocol/actors/actor_calls.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { failureOf } from "./support.ts";

const counter = actor({
  state: { count: 0, homes: [] as string[] },
  queues: { jobs: queue<number>() },
  actions: {
    async work(c): Promise<number> {
      const jobs = await c.queue.nextBatch({ count: 2 });
      return jobs.reduce((sum, { body }) => sum + body, 0);
    },
    add(c, by: number): number {
      c.state.count += by;
      c.state.homes.push(formatActrId(c.node.selfId));
      return c.state.count;
    },
    get: (c) => c.state.count,
    home: (c) => formatActrId(c.node.selfId),
    homes: (c) => c.state.homes,
    addLater(c, by: number, ms: number): void {
      c.schedule.after(ms, "add", by);
    },
    async viaOther(c, key: string): Promise<number> {
      return await c
        .client<typeof app>()
        .counter.get(key)
        .callBack(c.key[0] ?? "");
    },
    async callBack(c, key: string): Promise<number> {
      return await c.client<typeof app>().counter.get(key).add(1);
    },
  },
});

const app = defineNode({
  type: "acme:Placed:1.0.0",
  actors: { counter },
  options: { actors: { leaseMs: 15_000 } },
});

type Placed = TestNode<typeof app>;

const keys = Array.from({ length: 40 }, (_, n) => `key-${n}`);

interface World {
  readonly store: MemoryStore;
  readonly first: Placed;
  readonly second: Placed;
}

/** Two nodes on one store for actors, with half of the shards each. */
async function world(): Promise<World & AsyncDisposable> {
  const store = new MemoryStore();
  const first = await testNode(app, { components: { actorStore: store.share() } });
  const second = (await first.peer(app, {
    components: { actorStore: store.share() },
  })) as unknown as Placed;
  await first.clock.advance(11_000);
  return { store, first, second, [Symbol.asyncDispose]: () => first[Symbol.asyncDispose]() };
}

/** Where each of the keys lives, asked of `node`. */
async function homes(node: Placed): Promise<string[]> {
  return await Promise.all(keys.map((key) => node.actors.counter.get(key).home()));
}

/** A key of an actor that lives on `node`. */
async function keyOn(node: Placed): Promise<string> {
  const at = (await homes(node)).indexOf(formatActrId(node.id));
  return keys[at] as string;
}

describe("shards", () => {
  it("take about as many actors each, and are told by the ids of these", () => {
    const counts = new Array<number>(shardCount).fill(0);
    for (let n = 0; n < 6400; n++) {
      const shard = shardOf("counter", [`room-${n}`]);
      counts[shard] = (counts[shard] ?? 0) + 1;
      assert.equal(shardOfId(shardedId(shard, crypto.randomUUID())), shard);
    }
    assert.ok(Math.min(...counts) > 50, `${counts}`);
    assert.ok(Math.max(...counts) < 170, `${counts}`);
  });
});

describe("actors of nodes that share a store", () => {
  it("are shared out, and found from every node", async () => {
    await using w = await world();
    assert.deepEqual([w.first.node.actors.shards, w.second.node.actors.shards], [32, 32]);
    const seen = await homes(w.first);
    assert.deepEqual(await homes(w.second), seen);
    const both = new Set([w.first, w.second].map(({ id }) => formatActrId(id)));
    assert.deepEqual(new Set(seen), both);
  });

  it("are called, found and made from the node on which they do not live", async () => {
    await using w = await world();
    const key = await keyOn(w.second);
    assert.equal(await w.first.actors.counter.get(key).add(2), 2);
    assert.equal(await w.second.actors.counter.get(key).add(3), 5);
    const id = await w.first.actors.counter.get(key).resolve();
    assert.equal(await w.first.actors.counter.withId(id).get(), 5);
    const taken = await failureOf(w.first.actors.counter.create(key));
    assert.equal(taken.code, "actor.duplicate_key");
    for (const n of [1, 2, 3, 4]) await w.first.actors.counter.create(`new-${n}`);
    assert.equal(w.first.node.actors.awake + w.second.node.actors.awake, keys.length + 4);
  });

  it("are called by peers of any of the nodes", async () => {
    await using w = await world();
    const client = await w.first.peer();
    for (const { id } of [w.first, w.second]) {
      const { counter: access } = client.context.actors<typeof app>(id);
      for (const key of keys.slice(0, 6)) await access.get(key).add(1);
    }
    for (const key of keys.slice(0, 6)) {
      assert.equal(await w.first.actors.counter.get(key).get(), 2);
    }
  });

  it("run actions that are asked for over HTTP on any of the nodes, in any encoding", async () => {
    await using w = await world();
    const key = await keyOn(w.second);
    const query = `rvt-namespace=default&rvt-method=getOrCreate&rvt-runner=default&rvt-key=${key}`;
    const init = { method: "POST", body: JSON.stringify({ args: [4] }) };
    for (const [node, count] of [
      [w.first, 4],
      [w.second, 8],
    ] as const) {
      const answer = await node.fetch(`/gateway/counter/action/add?${query}`, init);
      assert.deepEqual([answer.status, await answer.json()], [200, { output: count }]);
    }
    const unknown = await w.first.fetch(`/gateway/counter/action/none?${query}`, init);
    assert.equal(unknown.status, 404);
    const { node } = (await failureOf(w.first.actors.counter.get(key).fetch("/"))).details ?? {};
    assert.equal(node, formatActrId(w.second.id));
  });

  it("let nobody pass on calls of others but the nodes that share them", async () => {
    await using w = await world();
    const alone = await w.first.peer(defineNode({ actors: { counter } }));
    const client = await w.first.peer();
    const request = { target: { name: "counter", key: ["a"] }, action: "get", args: [] };
    const payload = encodeAct({ ...request, request: "of somebody else" });
    const ask = (node: Pick<Placed, "id">): Promise<Uint8Array> =>
      client.context.call(node.id, actorRoutes.act, payload, { timeoutMs: 500 });
    assert.equal((await failureOf(ask(alone))).code, "permission_denied");
    const asking = failureOf(ask(w.first));
    await w.first.clock.through(asking);
    assert.ok(["actor.moved", "timed_out"].includes((await asking).code));
  });

  it("take messages into their queues from every node", async () => {
    await using w = await world();
    const key = await keyOn(w.second);
    for (const { actors } of [w.first, w.second]) await actors.counter.get(key).send("jobs", 3);
    assert.equal(await w.first.actors.counter.get(key).work(), 6);
  });

  it("tell how many shards each node has", async () => {
    await using w = await world();
    const { actors } = (await (await w.first.fetch("/health")).json()) as {
      readonly actors: { readonly shards: number };
    };
    assert.equal(actors.shards, 32);
    const metrics = await (await w.first.fetch("/metrics")).text();
    assert.match(metrics, /^roost_actor_shards 32$/m);
  });

  it("call each other back across nodes", async () => {
    await using w = await world();
    const [here, there] = [await keyOn(w.first), await keyOn(w.second)];
    assert.equal(await w.first.actors.counter.get(here).viaOther(there), 1);
  });

  it("keep what they had when a node comes: they sleep there and wake here", async () => {
    const store = new MemoryStore();
    await using first = await testNode(app, { components: { actorStore: store.share() } });
    for (const key of keys) await first.actors.counter.get(key).add(1);
    const second = (await first.peer(app, {
      components: { actorStore: store.share() },
    })) as unknown as Placed;
    await first.clock.advance(11_000);
    for (const key of keys) assert.equal(await second.actors.counter.get(key).add(1), 2);
    assert.deepEqual([first.node.actors.shards, second.node.actors.shards], [32, 32]);
  });

  it("go to another node when theirs stops, at once", async () => {
    await using w = await world();
    for (const key of keys) await w.first.actors.counter.get(key).add(1);
    await w.second.stop();
    await w.first.clock.advance(5000);
    assert.equal(w.first.node.actors.shards, shardCount);
    for (const key of keys) assert.equal(await w.first.actors.counter.get(key).add(1), 2);
    const { members } = await readPlacement(w.store);
    assert.equal(members.size, 1);
  });

  it("go to another node when theirs dies, after its lease and not before", async () => {
    await using w = await world();
    const key = await keyOn(w.second);
    await w.first.actors.counter.get(key).add(1);
    const began = w.first.clock.now();
    await w.second.restart({ crash: true });
    assert.equal(await w.first.clock.through(w.first.actors.counter.get(key).add(1)), 2);
    const waitedMs = w.first.clock.now() - began;
    assert.ok(waitedMs >= 10_000 && waitedMs < 22_000, `${waitedMs} ms`);
  });

  it("fire what became due while nobody had them as soon as somebody has", async () => {
    await using w = await world();
    const key = await keyOn(w.second);
    // Between two looks of the watchdog, which would find it too.
    await w.first.clock.advance(24_000);
    await w.first.actors.counter.get(key).addLater(1, 3000);
    await w.second.restart({ crash: true });
    const target = { name: "counter", key: [key] };
    const isTaken = (): boolean =>
      [w.first, w.second].some(({ node }) => node.actors.share.has(target));
    assert.equal(isTaken(), false);
    while (!isTaken()) await w.first.clock.advance(100);
    await w.first.clock.settle();
    assert.deepEqual(await w.store.records("alarms", "", 1), []);
    assert.equal(await w.first.clock.through(w.first.actors.counter.get(key).get()), 1);
  });

  it("cut off the clients of those that move, and no others", async () => {
    const store = new MemoryStore();
    await using first = await testNode(app, { components: { actorStore: store.share() } });
    const connections = keys.map((key) => first.actors.counter.get(key).connect());
    await first.clock.settle();
    assert.equal(first.node.actors.clients, keys.length);
    const second = (await first.peer(app, {
      components: { actorStore: store.share() },
    })) as unknown as Placed;
    await first.clock.advance(11_000);
    const here = (await homes(first)).filter((home) => home === formatActrId(first.id));
    assert.ok(here.length > 0 && here.length < keys.length);
    assert.equal(first.node.actors.clients, here.length);
    assert.equal(second.node.actors.clients, 0);
    for (const connection of connections) connection.close();
  });

  it("tell at once who waits for a message of one that moves, and no others", async () => {
    const store = new MemoryStore();
    await using first = await testNode(app, { components: { actorStore: store.share() } });
    const told: string[] = [];
    for (const key of keys) {
      const waiting = failureOf(
        first.actors.counter.get(key).sendAndWait("jobs", 1, { timeoutMs: 600_000 }),
      );
      void waiting.then(({ code }) => told.push(`${key} ${code}`));
    }
    await first.clock.settle();
    await first.peer(app, { components: { actorStore: store.share() } });
    await first.clock.advance(11_000);
    const moved = keys.filter(
      (key) => !first.node.actors.share.has({ name: "counter", key: [key] }),
    );
    assert.ok(moved.length > 0 && moved.length < keys.length);
    assert.deepEqual(told.sort(), moved.map((key) => `${key} actor.aborted`).sort());
  });

  it("fire what is due on the node that they have come to", async () => {
    await using w = await world();
    const key = await keyOn(w.second);
    await w.first.actors.counter.get(key).addLater(1, 60_000);
    await w.second.stop();
    await w.first.clock.advance(70_000);
    assert.equal(await w.first.actors.counter.get(key).get(), 1);
    assert.deepEqual(await w.first.actors.counter.get(key).homes(), [formatActrId(w.first.id)]);
  });

  it("do once what was asked while they moved", async () => {
    await using w = await world();
    const key = await keyOn(w.second);
    w.first.world.hub.faults.blackhole = true;
    const adding = w.first.actors.counter.get(key).add(1);
    await w.first.clock.settle();
    await w.second.stop();
    w.first.world.hub.faults.blackhole = false;
    assert.equal(await w.first.clock.through(adding), 1);
    assert.equal(await w.first.actors.counter.get(key).get(), 1);
  });
});
