import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor } from "../../../src/actor.ts";
import { type ActorsOf, actorsOf } from "../../../src/actor_client.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import { type HttpActorParts, HttpActors } from "../../../src/outbound/http_actors.ts";
import { failureOf } from "../host/support.ts";

const limit = { timeout: 60_000 };

let open = (): void => {};

const counter = actor({
  state: () => ({ count: 0 }),
  actions: {
    add: (c, by: number) => (c.state.count += by),
    subtract: (c, by: number) => (c.state.count -= by),
    async addLater(c, by: number) {
      await new Promise<void>((resolve) => {
        open = resolve;
      });
      c.state.count += by;
      return c.state.count;
    },
    hang: (c) => new Promise((resolve) => c.signal.addEventListener("abort", resolve)),
  },
});

const app = defineNode({ actors: { counter } });

function actorsAt(t: TestNode, parts: Partial<HttpActorParts> = {}): ActorsOf<typeof app> {
  const { clock, network } = t.world;
  const fetch = network.fetch.bind(network) as typeof globalThis.fetch;
  const address = `http://${t.host}`;
  const random = t.world.random();
  const sockets = network.sockets();
  return actorsOf(new HttpActors({ address, fetch, sockets, clock, random, ...parts }));
}

describe("calls of actors over HTTP", () => {
  it("end at their deadline", limit, async () => {
    await using t = await testNode(app);
    const { counter } = actorsAt(t, { timeoutMs: 5000 });
    const failure = failureOf(counter.get("a").hang());
    await t.clock.advance(5000);
    assert.equal((await failure).code, "timed_out");
  });

  it("end with their signal: those of handles, and those that make actors", limit, async () => {
    await using t = await testNode(app);
    for (const actors of [actorsAt(t), t.actors]) {
      const gone = new AbortController();
      const { signal } = gone;
      const hanging = failureOf(actors.counter.get("b", { signal }).hang());
      await t.clock.settle();
      gone.abort(new ActrError("actor.aborted", "enough"));
      assert.equal((await hanging).message, "enough");
      const { counter } = actors;
      assert.equal((await failureOf(counter.get("c", { signal }).add(1))).message, "enough");
      assert.equal(
        (await failureOf(counter.existing("c", { signal }).resolve())).message,
        "enough",
      );
      assert.equal((await failureOf(counter.withId("c", { signal }).add(1))).message, "enough");
      assert.equal((await failureOf(counter.create("c", { signal }))).message, "enough");
      assert.equal((await failureOf(counter.existing("c").resolve())).code, "actor.not_found");
    }
  });

  it("fail as the node says, or as unavailable where no node answers", limit, async () => {
    await using t = await testNode(app);
    const nobody = actorsAt(t, { address: "http://nobody" });
    const gone = await t.clock.through(failureOf(nobody.counter.get("a").add(1)));
    assert.equal(gone.code, "unavailable");
    const proxy = actorsAt(t, { fetch: async () => new Response("<html>", { status: 502 }) });
    const failure = await t.clock.through(failureOf(proxy.counter.get("a").add(1)));
    assert.equal(failure.code, "unavailable");
    assert.match(failure.message, /502/);
  });

  it(
    "[HD-26] are done once however often an answer is lost, also when the node dies after it was done",
    limit,
    async () => {
      await using t = await testNode(app);
      const { network } = t.world;
      let lost = 0;
      const keys = new Set<string | null>();
      const actors = actorsAt(t, {
        fetch: async (input, init) => {
          const answer = await network.fetch(input as string, init);
          keys.add(new Headers(init?.headers).get("idempotency-key"));
          lost += 1;
          if (lost === 2) await t.restart({ crash: true });
          if (lost <= 3) throw new TypeError("the connection was reset");
          return answer;
        },
      });
      assert.equal(await t.clock.through(actors.counter.get("a").add(5)), 5);
      assert.equal(lost, 4);
      assert.equal(keys.size, 1);
      assert.equal(await t.actors.counter.get("a").add(0), 5);
      lost = 10;
      assert.equal(await actors.counter.get("a").add(1), 6);
      assert.equal(keys.size, 2);
    },
  );

  it("that come again while the first goes on wait for its end", limit, async () => {
    await using t = await testNode(app);
    const { network } = t.world;
    let asked = 0;
    const actors = actorsAt(t, {
      fetch: async (input, init) => {
        asked += 1;
        const answering = network.fetch(input as string, init);
        if (asked > 1) return await answering;
        answering.catch(() => {});
        throw new TypeError("the connection was reset");
      },
    });
    const adding = actors.counter.get("a").addLater(7);
    await t.clock.advance(1000);
    assert.equal(asked, 2);
    open();
    assert.equal(await adding, 7);
    assert.equal(await t.actors.counter.get("a").add(0), 7);
  });

  it("are refused under a key that is none, and done again under another", limit, async () => {
    await using t = await testNode(app);
    const query = "rvt-namespace=default&rvt-method=getOrCreate";
    const add = async (key: string, action = "add") => {
      const headers = { "idempotency-key": key };
      const body = JSON.stringify({ args: [1] });
      const url = `/gateway/counter/action/${action}?${query}`;
      return await t.fetch(url, { method: "POST", headers, body });
    };
    assert.equal((await add("a b")).status, 400);
    assert.equal((await add("k".repeat(129))).status, 400);
    const outputs: unknown[] = [];
    for (const key of ["k1", "k1", "k2", "k1"])
      outputs.push((await (await add(key)).json()).output);
    assert.deepEqual(outputs, [1, 1, 2, 1]);
    assert.equal((await (await add("k1", "subtract")).json()).output, 1);
    assert.equal(await t.actors.counter.get([]).add(0), 1);
  });
});
