import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor } from "../../../src/actor.ts";
import { type ActorsOf, actorsOf } from "../../../src/actor_client.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import { type HttpActorParts, HttpActors } from "../../../src/outbound/http_actors.ts";
import { failureOf } from "../host/support.ts";

const limit = { timeout: 20_000 };

const counter = actor({
  state: () => ({ count: 0 }),
  actions: {
    add: (c, by: number) => (c.state.count += by),
    hang: (c) => new Promise((resolve) => c.signal.addEventListener("abort", resolve)),
  },
});

const app = defineNode({ actors: { counter } });

function actorsAt(t: TestNode, parts: Partial<HttpActorParts> = {}): ActorsOf<typeof app> {
  const { clock, network } = t.world;
  const fetch = network.fetch.bind(network) as typeof globalThis.fetch;
  return actorsOf(
    new HttpActors({
      address: `http://${t.host}`,
      fetch,
      clock,
      random: t.world.random(),
      ...parts,
    }),
  );
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
});
