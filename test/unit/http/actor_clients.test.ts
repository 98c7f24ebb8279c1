import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor, queue } from "../../../src/actor.ts";
import { type ActorsOf, actorsOf } from "../../../src/actor_client.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import { HttpActors } from "../../../src/outbound/http_actors.ts";
import { failureOf } from "../host/support.ts";

const limit = { timeout: 60_000 };

const desk = actor({
  state: () => ({ notes: [] as string[] }),
  queues: {
    jobs: queue<{ n: number }, number>(),
    notes: queue<string>(),
    closed: queue<string>({ canPublish: () => false }),
  },
  actions: {
    async note(c) {
      const message = await c.queue.next({ names: ["notes"], timeoutMs: 0 });
      if (message !== undefined) c.state.notes.push(message.body);
      return c.state.notes;
    },
    async work(c) {
      const message = await c.queue.next({ names: ["jobs"], completable: true });
      await message?.complete(2 * message.body.n);
    },
  },
  actionOptions: { work: { turn: "interleaved" } },
  async onRequest(_c, request) {
    if (request.url.endsWith("/throw")) throw new ActrError("user.boom", "boom");
    return new Response(await request.text(), { status: 203, headers: { "x-url": request.url } });
  },
});
const plain = actor({ actions: {} });
const app = defineNode({ actors: { desk, plain } });

/** Both ways to the actors of a node: from the same process, and over HTTP. */
function ways(t: TestNode<typeof app>): ActorsOf<typeof app>[] {
  const { clock, network } = t.world;
  const fetch = network.fetch.bind(network) as typeof globalThis.fetch;
  const parts = { fetch, clock, sockets: network.sockets(), random: t.world.random() };
  const http = ["", "/actors"].map((base) =>
    actorsOf<typeof app>(new HttpActors({ address: `http://${t.host}${base}`, ...parts })),
  );
  return [t.actors, ...http];
}

describe("handles of actors", () => {
  it("put messages into queues, and wait for their completion", limit, async () => {
    await using t = await testNode(app);
    for (const { desk } of ways(t)) {
      const handle = desk.get("a");
      await handle.send("notes", "é");
      assert.equal((await handle.note()).at(-1), "é");
      const working = handle.work();
      await t.clock.settle();
      const done = await handle.sendAndWait("jobs", { n: 21 });
      assert.deepEqual(done, { status: "completed", response: 42 });
      await working;
      const late = handle.sendAndWait("jobs", { n: 1 }, { timeoutMs: 50 });
      await t.clock.advance(50);
      assert.deepEqual(await late, { status: "timedOut" });
      await handle.work();
      const forbidden = await failureOf(handle.send("closed", "x"));
      assert.equal(forbidden.code, "auth.forbidden");
    }
  });

  it("[H-81] tell that a queue is not declared, whoever waits", limit, async () => {
    await using t = await testNode(app);
    for (const { desk } of ways(t)) {
      const handle = desk.get("a") as unknown as {
        send(name: string, body: unknown): Promise<void>;
        sendAndWait(name: string, body: unknown): Promise<unknown>;
      };
      assert.equal((await failureOf(handle.send("unknown", 1))).code, "queue.not_found");
      assert.equal((await failureOf(handle.sendAndWait("unknown", 1))).code, "queue.not_found");
    }
  });

  it("ask onRequest", limit, async () => {
    await using t = await testNode(app);
    for (const { desk, plain } of ways(t)) {
      const answer = await desk.get("a").fetch("/x/y?z=1", { method: "POST", body: "hello" });
      assert.equal(answer.status, 203);
      assert.match(String(answer.headers.get("x-url")), /^http:\/\/[^/]+\/x\/y\?z=1$/);
      assert.equal(await answer.text(), "hello");
      assert.equal((await desk.get("a").fetch("")).status, 203);
      assert.equal((await failureOf(desk.get("a").fetch("throw"))).code, "user.boom");
      assert.equal((await plain.get("a").fetch("/")).status, 404);
      const gone = AbortSignal.abort(new ActrError("actor.aborted", "enough"));
      const handle = desk.get("a", { signal: gone });
      assert.equal((await failureOf(handle.fetch("/"))).message, "enough");
      assert.equal((await failureOf(handle.send("notes", "x"))).message, "enough");
    }
  });
});
