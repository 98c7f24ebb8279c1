import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { RecordingTracer } from "../../../adapters/memory/recording_tracer.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import type { Context } from "../../../src/context.ts";
import { defineNode, service } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import type { ErrorEvent } from "../../../src/hooks.ts";
import type { HandlerFailure } from "../../../src/inbound/dispatcher.ts";
import { Nesting } from "../../../src/inbound/handler_calls.ts";
import { HostGate } from "../../../src/inbound/host_gate.ts";
import { serviceRoutes } from "../../../src/inbound/service_routes.ts";
import { defaultNodeOptions } from "../../../src/options.ts";
import { TargetFinder } from "../../../src/outbound/target_finder.ts";
import { dataChunkFrame } from "../../../src/protocol/data_chunk.ts";
import { directions } from "../../../src/protocol/envelope.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { LedgerService } from "../../fixtures/ledger_pb.ts";
import { ProbeService } from "../../fixtures/probe_pb.ts";
import { until } from "../../fixtures/until.ts";

const route = "echo.EchoService.Echo";

/** Upper-cases; fails for "bad", crashes for "crash", never answers "never". */
const shouting = service(EchoService, {
  handlers: {
    echo: ({ message }) => {
      if (message === "bad") throw new ActrError("invalid_argument", "bad words");
      if (message === "crash") throw new TypeError("secret");
      if (message === "never") return new Promise<never>(() => {});
      return { reply: message.toUpperCase() };
    },
  },
});

const workload = (node: TestNode) => node.context.service(EchoService, "workload");

describe("the destination workload", () => {
  it("[N-30] [N-33] answers the host, each call its own", async () => {
    await using node = await testNode(defineNode({ services: [shouting] }));
    const echo = workload(node);
    for (const message of ["one", "two", "three"]) {
      assert.equal((await echo.echo({ message })).reply, message.toUpperCase());
    }
    assert.equal(node.node.outbound.pending.size, 0);
  });

  it("[N-34] answers ten calls at once, each its own", async () => {
    await using node = await testNode(defineNode({ services: [shouting] }));
    const asked = Array.from({ length: 10 }, (_, n) => `call ${n}`);
    const answers = await Promise.all(asked.map((message) => workload(node).echo({ message })));
    assert.deepEqual(
      answers.map(({ reply }) => reply),
      asked.map((text) => text.toUpperCase()),
    );
  });

  it("[N-31] [N-32] tells the host of an unknown route, and of what a handler threw", async () => {
    await using node = await testNode(defineNode({ services: [shouting] }));
    const unknown = node.context.call("workload", "no.Such.Route", new Uint8Array());
    await assert.rejects(unknown, { code: "unknown_route", message: /no\.Such\.Route/ });
    await assert.rejects(workload(node).echo({ message: "bad" }), {
      code: "invalid_argument",
      message: "bad words",
    });
  });

  it("[N-35] [N-36] [N-37] a tell is handled and answered to nobody, a call once", async () => {
    const heard: string[] = [];
    const listening = service(EchoService, {
      handlers: {
        echo: ({ message }) => {
          heard.push(message);
          if (message === "bad") throw new ActrError("invalid_argument", "bad words");
          return { reply: message };
        },
      },
    });
    await using node = await testNode(defineNode({ services: [listening] }));
    await workload(node).echo.tell({ message: "told" });
    await workload(node).echo.tell({ message: "bad" });
    assert.equal((await workload(node).echo({ message: "called" })).reply, "called");
    assert.deepEqual(heard, ["told", "bad", "called"]);
    assert.equal(node.node.outbound.pending.size, 0);
  });

  it("[N-76] [N-82] [ND-23] goes through no transport, on either lane; a peer does", async () => {
    await using node = await testNode(defineNode({ services: [shouting] }), {
      components: { transports: () => [] },
    });
    for (const payloadType of [lanes.rpcReliable, lanes.rpcSignal]) {
      const { reply } = await workload(node).echo({ message: "hi" }, { payloadType });
      assert.equal(reply, "HI");
    }
    const peer = { ...node.id, serial: node.id.serial + 1n };
    await assert.rejects(node.context.call(peer, route, new Uint8Array()), {
      code: "unavailable",
      details: { reason: "no_route" },
    });
    const late = workload(node).echo({ message: "never" }, { timeoutMs: 1_000 });
    await Promise.all([assert.rejects(late, { code: "timed_out" }), node.clock.advance(2_000)]);
    assert.equal(node.node.outbound.pending.size, 0);
  });

  it("[N-84] may do what no rule allows a peer", async () => {
    await using node = await testNode(defineNode({ services: [shouting], acl: [] }));
    assert.equal((await workload(node).echo({ message: "hi" })).reply, "HI");
    await assert.rejects(node.service(EchoService).echo({ message: "hi" }), {
      code: "permission_denied",
    });
  });

  it("[ND-21] is refused at once to a handler that would wait for itself", async () => {
    const selfish = service(EchoService, {
      handlers: {
        echo: async ({ message }, c) =>
          message === "self"
            ? await c.service(EchoService, "workload").echo({ message: "x" })
            : { reply: message },
      },
    });
    await using node = await testNode(defineNode({ services: [selfish] }));
    await assert.rejects(workload(node).echo({ message: "self" }), {
      code: "invalid_argument",
      message: /deadlock/,
    });
  });

  it("carries the trace context", async () => {
    const tracer = new RecordingTracer(new SeededRandom(5));
    await using node = await testNode(defineNode({ services: [shouting] }), {
      components: { tracer },
    });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await workload(node).echo({ message: "hi" }, { trace: { traceparent } });
    const [handler, received, call] = tracer.spans;
    assert.deepEqual(
      [call?.parentSpanId, received?.parentSpanId, handler?.parentSpanId],
      ["b7ad6b7169203331", call?.spanId, received?.spanId],
    );
  });
});

/** A node whose handler asks the host what it is asked itself. */
const asking = service(LedgerService, {
  handlers: {
    add: async ({ id }, c: Context) => {
      const { reply } = await c
        .service(EchoService, "host")
        .echo({ message: id }, { timeoutMs: 5_000 });
      return { times: reply.length };
    },
    addDurable: () => ({ times: 0 }),
    read: () => ({ times: 0 }),
  },
});

const asks = (node: TestNode, id: string) =>
  node.context.service(LedgerService, "workload").add({ id });

describe("the destination host", () => {
  it("[N-80] answers a handler, without waiting for anything that the node handles", async () => {
    await using node = await testNode(defineNode({ services: [asking], host: [shouting] }));
    assert.equal((await asks(node, "four")).times, 4);
  });

  it("[ND-22] is not the workload: without services of its own it is not implemented", async () => {
    await using node = await testNode(defineNode({ services: [asking, shouting] }));
    await assert.rejects(asks(node, "x"), { code: "not_implemented" });
    await using other = await testNode(defineNode({ services: [asking], host: [asking] }));
    await assert.rejects(asks(other, "x"), { code: "unknown_route" });
  });

  it("keeps errors, hides what crashed, and tells onError of both", async () => {
    const events: ErrorEvent[] = [];
    const hooks = { onError: (_: unknown, event: ErrorEvent) => void events.push(event) };
    await using node = await testNode(defineNode({ services: [asking], host: [shouting], hooks }));
    await assert.rejects(asks(node, "bad"), { code: "invalid_argument", message: "bad words" });
    await assert.rejects(asks(node, "crash"), (error: ActrError) => {
      assert.equal(error.code, "internal");
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await until("four errors", () => events.length >= 4, 5_000);
    assert.deepEqual(
      events.map(({ category }) => category),
      ["handler_error", "handler_error", "handler_crash", "handler_error"],
    );
  });

  it("[N-80] hears a call labelled as a request and a tell as a tell", async () => {
    await using node = await testNode(defineNode({}));
    const { clock, random, log } = node.node.components;
    const heard: number[] = [];
    const nesting = new Nesting(random, { lend() {}, resume() {} });
    const localActors = () => assert.fail("it calls no actors");
    const actors = { finder: new TargetFinder(), localActors };
    const scope = { node: node.context, store: new MemoryStore(), nesting, ...actors };
    const onFailure = ({ message }: HandlerFailure) => void heard.push(message.envelope.direction);
    const gate = new HostGate(
      { clock, random, log, tracer: undefined, scope, onFailure },
      serviceRoutes([shouting]),
      defaultNodeOptions.outbound,
    );
    await gate.tell(route, new Uint8Array([255]));
    await assert.rejects(gate.call(route, new Uint8Array([255])), { code: "decode_failure" });
    assert.deepEqual(heard, [directions.tell, directions.request]);
  });

  it("[N-80] times out where nothing answers", async () => {
    await using node = await testNode(defineNode({ host: [shouting] }));
    const host = node.context.service(EchoService, "host");
    const never = host.echo({ message: "never" }, { timeoutMs: 5_000 });
    await node.clock.settle();
    await Promise.all([assert.rejects(never, { code: "timed_out" }), node.clock.advance(6_000)]);
  });

  it("takes tells, explicit replies, and commits what it changes before it answers", async () => {
    const store = new MemoryStore();
    const told: string[] = [];
    const host = service(EchoService, {
      handlers: {
        echo: {
          explicit: ({ message }, c, reply) => {
            told.push(message);
            c.state.put("last", new TextEncoder().encode(message));
            reply.send({ reply: message });
          },
        },
      },
    });
    await using node = await testNode(defineNode({ host: [host] }), { store });
    const echo = node.context.service(EchoService, "host");
    await echo.echo.tell({ message: "told" });
    assert.equal((await echo.echo({ message: "called" })).reply, "called");
    assert.deepEqual(told, ["told", "called"]);
    const read = await Promise.all(
      (await store.records("state", "", 10)).map(({ value }) => new TextDecoder().decode(value)),
    );
    assert.deepEqual(read, ["called"]);
  });

  it("answers with bytes that stay the caller's: no frame is made around them", async () => {
    const wait = () => ({});
    const host = service(ProbeService, { handlers: { echo: ({ data }) => ({ data }), wait } });
    await using node = await testNode(defineNode({ host: [host] }));
    const sent = new Uint8Array(40_000).fill(7);
    const { data } = await node.context.service(ProbeService, "host").echo({ data: sent });
    const chunk = { streamId: "s", sequence: 0n, metadata: [], payload: data };
    assert.notEqual(dataChunkFrame(lanes.streamReliable, chunk).body.buffer, data.buffer);
    assert.deepEqual(data, sent);
  });

  it("is told the reply that fails, once; a handler that fails beside it harms nobody else", async () => {
    const host = service(EchoService, {
      handlers: {
        echo: {
          explicit: ({ message }, _c, reply) => {
            const first = reply.fail(new ActrError("not_found", "no such thing"));
            const second = reply.fail(new ActrError("not_found", "again"));
            assert.deepEqual([first, second, reply.closed], [true, false, true]);
            if (message === "beside") throw new ActrError("permission_denied", "not you");
          },
        },
      },
    });
    await using node = await testNode(defineNode({ host: [host] }));
    const echo = node.context.service(EchoService, "host");
    await assert.rejects(echo.echo({}), { code: "not_found", message: "no such thing" });
    await assert.rejects(echo.echo({ message: "beside" }), { code: "permission_denied" });
  });

  it("ends with its signal, and with the node; what it changes later is dropped", async () => {
    const store = new MemoryStore();
    let go: () => void = () => {};
    const slow = service(EchoService, {
      handlers: {
        echo: async ({ message }, c) => {
          await new Promise<void>((resolve) => (go = resolve));
          c.state.put("late", new Uint8Array(1));
          return { reply: message };
        },
      },
    });
    const node = await testNode(defineNode({ host: [slow] }), { store });
    const host = node.context.service(EchoService, "host");
    const abort = new AbortController();
    const aborted = host.echo({ message: "x" }, { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(aborted, /enough/);
    go();
    await node.clock.settle();
    assert.deepEqual(await store.records("state", "", 10), []);
    const waiting = assert.rejects(
      host.echo({ message: "x" }, { signal: new AbortController().signal }),
      {
        code: "stopping",
      },
    );
    await node[Symbol.asyncDispose]();
    await waiting;
  });

  it("takes no more than outbound.maxPending at once; a reply that never comes frees its place", async () => {
    const silent = service(EchoService, { handlers: { echo: { explicit: () => {} } } });
    const options = { outbound: { maxPending: 2 } };
    await using node = await testNode(defineNode({ host: [silent], options }));
    const host = node.context.service(EchoService, "host");
    await host.echo.tell({ message: "told" });
    await node.clock.settle();
    const ask = () => host.echo({ message: "x" }, { timeoutMs: 1_000 });
    const two = [ask(), ask()].map((one) => assert.rejects(one, { code: "timed_out" }));
    await assert.rejects(ask(), { code: "overloaded", retryAfterMs: 100 });
    await node.clock.advance(1_100);
    await Promise.all(two);
    const third = assert.rejects(ask(), { code: "timed_out" });
    await node.clock.advance(1_100);
    await third;
  });

  it("[N-78] refuses bad deadlines and payload types", async () => {
    await using node = await testNode(defineNode({ host: [shouting] }));
    const misuse = { code: "invalid_argument" };
    const call = (options: object) => node.context.call("host", route, new Uint8Array(), options);
    await assert.rejects(call({ timeoutMs: 0 }), misuse);
    await assert.rejects(call({ payloadType: lanes.media }), misuse);
    await assert.rejects(
      node.context.tell("host", route, new Uint8Array(), { payloadType: lanes.streamReliable }),
      misuse,
    );
  });
});
