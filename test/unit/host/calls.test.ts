import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RecordingTracer } from "../../../adapters/memory/recording_tracer.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { testNode } from "../../../adapters/memory/test_node.ts";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { actor, queue } from "../../../src/actor.ts";
import { defineNode, service } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import { maxChain } from "../../../src/protocol/call_chain.ts";
import { failureOf } from "./support.ts";

/** Told of what `addAndTell` adds. */
let added = (): void => {};

const otherType = "acme:Other:1.0.0";

const counter = actor({
  state: (input: { readonly from?: number } | undefined) => ({ count: input?.from ?? 0 }),
  queues: { jobs: queue<number, number>() },
  actions: {
    async work(c): Promise<number> {
      const job = await c.queue.next({ completable: true });
      await job?.complete(2 * job.body);
      return job?.body ?? 0;
    },
    add(c, by: number): number {
      c.state.count += by;
      return c.state.count;
    },
    get: (c) => c.state.count,
    echo: (_, ...args: unknown[]) => args,
    refuse(_, code: "user.too_many"): never {
      throw new ActrError(code, "no more", { details: { limit: 3 } });
    },
    /** Has the counter of the same key at `target` call back as long as `hops` says. */
    async bounce(c, hops: number, target: string | undefined, back: string | undefined) {
      c.state.count += 1;
      if (hops === 0) return 0;
      const other = c.client<typeof app>(target).counter.get(c.key);
      const depth: number = await other.bounce(hops - 1, back, target);
      return depth + 1;
    },
    async deeper(c): Promise<number> {
      return 1 + (await c.client<typeof app>().counter.get(c.key).deeper());
    },
    async readBack(c, target: string, back: string): Promise<number> {
      return await c.client<typeof app>(target).counter.get(c.key).addAt(back);
    },
    async addAt(c, target: string): Promise<number> {
      return await c.client<typeof app>(target).counter.get(c.key).add(1);
    },
    async viaService(c): Promise<string> {
      const { reply } = await c.node.service(EchoService, "workload").echo({});
      return reply;
    },
    addAndTell(c, by: number): number {
      c.state.count += by;
      added();
      return c.state.count;
    },
  },
  actionOptions: { readBack: { turn: "read" } },
});

const app = defineNode({ type: "acme:Counters:1.0.0", actors: { counter } });
const other = defineNode({ type: otherType, actors: { counter } });

describe("actors of another node", () => {
  it("are called by its type or its id, like its services", async () => {
    await using t = await testNode(app);
    const peer = await t.peer(other);
    const byType = t.context.actors<typeof app>(otherType);
    assert.equal(await byType.counter.get("a", { input: { from: 5 } }).add(2), 7);
    const byId = t.context.actors<typeof app>(peer.id);
    assert.equal(await byId.counter.existing("a").get(), 7);
    assert.equal(await t.actors.counter.get("a").get(), 0);
  });

  it("take and give whatever CBOR has", async () => {
    await using t = await testNode(app);
    await t.peer(other);
    const values = [undefined, 1n << 60n, new Uint8Array([1, 2]), new Date(5), new Map([[1, "a"]])];
    const handle = t.context.actors<typeof app>(otherType).counter.get("a");
    assert.deepEqual(await handle.echo(...values), values);
  });

  it("are found, made, and called by their ids", async () => {
    await using t = await testNode(app);
    await t.peer(other);
    const { counter: access } = t.context.actors<typeof app>(otherType);
    const made = await access.create("a", { input: { from: 1 } });
    const id = await made.resolve();
    assert.equal(await access.withId(id).add(1), 2);
    assert.equal(await access.get("a").resolve(), id);
    assert.equal((await failureOf(access.create("a"))).code, "actor.duplicate_key");
    assert.equal((await failureOf(access.existing("b").resolve())).code, "actor.not_found");
  });

  it("fail with their own codes and details", async () => {
    await using t = await testNode(app);
    await t.peer(other);
    const handle = t.context.actors<typeof app>(otherType).counter.get("a");
    const refused = await failureOf(handle.refuse("user.too_many"));
    assert.equal(refused.code, "user.too_many");
    assert.equal(refused.message, "no more");
    assert.deepEqual(refused.details, { limit: 3 });
    const missing = handle as unknown as { none(): Promise<unknown> };
    assert.equal((await failureOf(missing.none())).code, "actor.action_not_found");
  });

  it("take messages into their queues, and tell of their completion", async () => {
    await using t = await testNode(app);
    await t.peer(other);
    const handle = t.context.actors<typeof app>(otherType).counter.get("a");
    await handle.send("jobs", 20);
    const waiting = handle.sendAndWait("jobs", 1, { timeoutMs: 40_000 });
    await t.clock.settle();
    assert.equal(await handle.work(), 20);
    await t.clock.advance(35_000);
    assert.equal(await handle.work(), 1);
    assert.deepEqual(await waiting, { status: "completed", response: 2 });
    const late = handle.sendAndWait("jobs", 1, { timeoutMs: 100 });
    await t.clock.settle();
    await t.clock.advance(200);
    assert.deepEqual(await late, { status: "timedOut" });
    const none = handle as unknown as { send(queue: string, body: unknown): Promise<void> };
    assert.equal((await failureOf(none.send("none", 1))).code, "queue.not_found");
  });

  it("are open to whom the rules let in", async () => {
    await using t = await testNode(app);
    await t.peer(defineNode({ type: otherType, actors: { counter }, actorAcl: [] }));
    const handle = t.context.actors<typeof app>(otherType).counter.get("a");
    assert.equal((await failureOf(handle.get())).code, "permission_denied");
  });

  it("refuse what is longer than their kind takes", async () => {
    await using t = await testNode(app);
    await t.peer(other);
    const handle = t.context.actors<typeof app>(otherType).counter.get("a");
    const failure = await failureOf(handle.echo("x".repeat(70_000)));
    assert.equal(failure.code, "message.incoming_too_long");
  });

  it("are told within which time, and the caller of what took longer", async () => {
    const slow = actor({ actions: { never: () => new Promise<void>(() => {}) } });
    await using t = await testNode(app);
    await t.peer(defineNode({ type: otherType, actors: { slow } }));
    const actors = t.context.actors<{ actors: { slow: typeof slow } }>(otherType, {
      timeoutMs: 5_000,
    });
    const never = failureOf(actors.slow.get("a").never());
    await t.clock.settle();
    await t.clock.advance(6_000);
    assert.equal((await never).code, "timed_out");
  });

  it("do once what was asked twice because the answer was lost on its way", async () => {
    await using t = await testNode(app);
    const peer = await t.peer(other);
    const handle = t.context.actors<typeof app>(peer.id).counter.get("a");
    assert.equal(await handle.add(1), 1);
    let times = 0;
    added = () => {
      times += 1;
      t.world.hub.faults.blackhole = true;
    };
    const adding = handle.addAndTell(1);
    await t.clock.settle();
    t.world.hub.faults.blackhole = false;
    assert.equal(times, 1);
    void peer.node.outbound.sessions.closeAll("the cable is pulled");
    assert.equal(await t.clock.through(adding), 2);
    assert.equal(times, 1);
    assert.equal(await handle.get(), 2);
  });
});

describe("calls that actors make", () => {
  it("go back to who waits for them, within its turn, however often", async () => {
    await using t = await testNode(app);
    assert.equal(await t.actors.counter.get("a").bounce(5, undefined, undefined), 5);
    assert.equal(await t.actors.counter.get("a").get(), 6);
  });

  it("go back to who waits for them across nodes", async () => {
    await using t = await testNode(app);
    await t.peer(other);
    const here = "acme:Counters:1.0.0";
    assert.equal(await t.actors.counter.get("a").bounce(4, otherType, here), 4);
    assert.equal(await t.actors.counter.get("a").get(), 3);
    const there = t.context.actors<typeof app>(otherType);
    assert.equal(await there.counter.get("a").get(), 2);
  });

  it("are told at once, across nodes too, that they would wait for themselves", async () => {
    await using t = await testNode(app);
    await t.peer(other);
    const reading = t.actors.counter.get("a").readBack(otherType, "acme:Counters:1.0.0");
    assert.equal((await failureOf(reading)).code, "actor.deadlock");
  });

  it("end where too many wait for each other, on one node and on two", async () => {
    await using t = await testNode(app);
    await t.peer(other);
    const alone = await failureOf(t.actors.counter.get("a").deeper());
    assert.equal(alone.code, "actor.calls_too_deep");
    assert.deepEqual(alone.details, { depth: maxChain });
    const bouncing = t.actors.counter.get("b").bounce(80, otherType, "acme:Counters:1.0.0");
    assert.equal((await failureOf(bouncing)).code, "actor.calls_too_deep");
  });

  it("may be nested 64 deep, and not 65, on one node and on two", async () => {
    await using t = await testNode(app);
    await t.peer(other);
    for (const [key, ...way] of [["a"], ["b", otherType, "acme:Counters:1.0.0"]] as const) {
      const { bounce } = t.actors.counter.get(key);
      assert.equal(await bounce(64, way[0], way[1]), 64);
      const { code, details } = await failureOf(bounce(65, way[0], way[1]));
      assert.deepEqual([code, details], ["actor.calls_too_deep", { depth: 64 }]);
    }
  });

  it("belong to the trace of the request that they are made for", async () => {
    const tracer = new RecordingTracer(new SeededRandom(1));
    await using t = await testNode(app, { components: { tracer } });
    const peer = await t.peer(other, { components: { tracer } });
    const trace = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
    const there = t.context.actors<typeof app>(peer.id, { trace }).counter.get("a");
    await there.addAt("acme:Counters:1.0.0");
    const calls = tracer.spans.filter(({ name }) => name === "RuntimeContext.call_raw");
    assert.deepEqual(
      calls.map(({ traceId }) => traceId),
      ["a".repeat(32), "a".repeat(32)],
    );
  });
});

describe("handlers of services", () => {
  const gate = (context: "call" | "back") =>
    service(EchoService, {
      handlers: {
        async echo({ message }, c) {
          const here = c.actors<typeof app>();
          if (message === "") return { reply: "called back" };
          if (context === "call") return { reply: String(await here.counter.get("a").add(1)) };
          return { reply: await here.counter.get("a").viaService() };
        },
      },
      methods: { echo: { reentrant: context === "back" } },
    });

  it("call the actors of their node", async () => {
    await using t = await testNode(defineNode({ ...app, services: [gate("call")] }));
    const echo = t.service(EchoService);
    assert.equal((await echo.echo({ message: "x" })).reply, "1");
    assert.equal((await echo.echo({ message: "x" })).reply, "2");
  });

  it("are called back by actors that they wait for", async () => {
    await using t = await testNode(defineNode({ ...app, services: [gate("back")] }));
    const { reply } = await t.service(EchoService).echo({ message: "x" });
    assert.equal(reply, "called back");
  });
});
