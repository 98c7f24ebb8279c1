import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { RecordingTracer } from "../../adapters/memory/recording_tracer.ts";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { testNode } from "../../adapters/memory/test_node.ts";
import { EchoService } from "../../examples/echo/echo_pb.ts";
import type { Context } from "../../src/context.ts";
import { defineNode, service } from "../../src/define.ts";
import type { Tracer } from "../../src/ports/tracer.ts";
import { type ActrId, formatActrId } from "../../src/protocol/ids.ts";
import { LedgerService } from "../fixtures/ledger_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";
import { echoNode, gate } from "../unit/node/support.ts";

const quiet = { port: 0, hostname: "127.0.0.1", log: silentLogger() } as const;
const sent = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=1",
};

describe("a trace over two hops", () => {
  it("is one trace: call, handler, the handler's own call, its handler", async () => {
    const { serve } = await adapter();
    const tracer = new RecordingTracer(new SeededRandom(3));
    const back = service(EchoService, {
      handlers: { echo: ({ message }) => ({ reply: message }) },
    });
    await using far = await serve(defineNode({ services: [back] }), { ...quiet, tracer });
    const forward = async (_: unknown, c: Context) => {
      await c.service(EchoService, far.id).echo({ message: "hi" });
      return { times: 1 };
    };
    const ledger = service(LedgerService, {
      handlers: { add: forward, addDurable: forward, read: forward },
    });
    const { identity } = far;
    await using near = await serve(defineNode({ services: [ledger] }), {
      ...quiet,
      identity,
      tracer,
    });
    await using caller = await serve(defineNode({}), { ...quiet, identity, tracer });
    await caller.context.service(LedgerService, near.id).add({ id: "1" }, { trace: sent });

    assert.deepEqual(
      tracer.spans.map(({ name }) => name),
      [
        "ActrNode.handle_incoming",
        "ActrNode.mailbox_receive",
        "RuntimeContext.call_raw",
        "ActrNode.handle_incoming",
        "ActrNode.mailbox_receive",
        "RuntimeContext.call_raw",
      ],
    );
    for (const [index, span] of tracer.spans.entries()) {
      const parent = tracer.spans[index + 1]?.spanId ?? "b7ad6b7169203331";
      assert.equal(span.parentSpanId, parent, span.name);
    }
    const [farHandler, farReceived, nearCall] = tracer.spans;
    const own = { actr_id: formatActrId(far.id), request_id: nearCall?.attributes["request_id"] };
    assert.deepEqual(farHandler?.attributes, { ...own, route_key: "echo.EchoService.Echo" });
    const { queue_wait_ms: wait, ...received } = farReceived?.attributes ?? {};
    assert.ok(typeof wait === "number" && wait >= 0, String(wait));
    assert.deepEqual(received, own);
    const { request_id: id, ...called } = nearCall?.attributes ?? {};
    assert.match(String(id), /^[0-9a-f-]{36}$/);
    assert.deepEqual(called, {
      actr_id: formatActrId(near.id),
      route_key: "echo.EchoService.Echo",
      payload_type: 0,
      target: formatActrId(far.id),
    });
    assert.equal(new Set(tracer.spans.map(({ traceId }) => traceId)).size, 1);
  });

  it("goes on where it was when the process dies before a durable message is handled", async () => {
    const tracer = new RecordingTracer(new SeededRandom(4));
    const door = gate();
    let restarted = false;
    const app = echoNode((text) => (restarted ? text : door.promise.then(() => text)));
    await using t = await testNode(app, { components: { tracer } });
    const sender = await t.peer(defineNode({}));
    const told = sender.context
      .service(EchoService, t.id)
      .echo.tell({ message: "hi" }, { durable: true, trace: sent });
    await t.clock.through(told);
    restarted = true;
    await t.restart({ crash: true });
    await t.clock.advance(5_000);
    const [handled, received] = tracer.spans.slice(-2);
    assert.deepEqual(
      [handled?.name, received?.name],
      ["ActrNode.handle_incoming", "ActrNode.mailbox_receive"],
    );
    assert.equal(handled?.parentSpanId, received?.spanId);
    assert.equal(received?.parentSpanId, "b7ad6b7169203331");
    assert.equal(handled?.traceId, "0af7651916cd43dd8448eb211c80319c");
    assert.equal(handled?.failed, false);
    door.open();
  });

  it("holds discovery, and durable tells under their own name", async () => {
    const tracer = new RecordingTracer(new SeededRandom(5));
    await using t = await testNode(echoNode());
    const peer = await t.peer(defineNode({}), { components: { tracer } });
    const type = "acme:EchoService:1.0.0";
    const [found] = await peer.context.discover(type, { trace: sent });
    const { echo } = peer.context.service(EchoService, found as ActrId);
    await t.clock.through(echo.tell({ message: "x" }, { durable: true }));
    await t.clock.through(echo.tell({ message: "x" }));
    await assert.rejects(t.clock.through(peer.context.discover("acme:Nothing:1.0.0")));
    assert.deepEqual(
      tracer.spans.map(({ name, failed }) => [name, failed]),
      [
        ["RuntimeContext.discover_route_candidate", false],
        ["RuntimeContext.tell_raw", false],
        ["RuntimeContext.tell_raw", false],
        ["RuntimeContext.discover_route_candidate", true],
      ],
    );
    const [search] = tracer.spans;
    assert.equal(search?.attributes["target_type"], type);
    assert.equal(search?.parentSpanId, "b7ad6b7169203331");
  });

  it("holds chunks that are sent one by one", async () => {
    const tracer = new RecordingTracer(new SeededRandom(7));
    await using t = await testNode(echoNode());
    const peer = await t.peer(defineNode({}), { components: { tracer } });
    const chunk = { payload: new Uint8Array(8) };
    await t.clock.through(peer.context.streams.send(t.id, "s-1", chunk, { trace: sent }));
    const sending = tracer.spans.find(({ name }) => name === "RuntimeContext.send_chunk");
    assert.equal(sending?.parentSpanId, "b7ad6b7169203331");
    assert.deepEqual(sending?.attributes, {
      actr_id: formatActrId(peer.id),
      stream_id: "s-1",
      target: formatActrId(t.id),
    });
  });

  it("ends every span of a request that is refused, repeated, late or left behind", async () => {
    const tracer = new RecordingTracer(new SeededRandom(6));
    const begun: string[] = [];
    const counting = counted(tracer, begun);
    const door = gate();
    const waiting = service(EchoService, {
      handlers: { echo: ({ message }) => door.promise.then(() => ({ reply: message })) },
      methods: { echo: { conflictKey: { sender: true } } },
    });
    const app = defineNode({ services: [waiting] });
    await using t = await testNode(app, { components: { tracer: counting } });
    const call = (message: string, timeoutMs: number) =>
      t.service(EchoService).echo({ message }, { timeoutMs });
    const first = assert.rejects(call("wait", 60_000));
    await t.clock.settle();
    const late = assert.rejects(call("late", 1_000));
    await t.clock.advance(2_000);
    const left = assert.rejects(call("left", 60_000));
    await t.clock.settle();
    await t.stop();
    await t.clock.through(Promise.all([first, late, left]));
    door.open();
    assert.deepEqual(tracer.spans.map(({ name }) => name).sort(), begun.sort());
    assert.equal(begun.filter((name) => name.endsWith("mailbox_receive")).length, 3);
  });
});

/** Writes down the names of the spans that begin. */
function counted(tracer: Tracer, begun: string[]): Tracer {
  return {
    start(name, parent, attributes) {
      begun.push(name);
      return tracer.start(name, parent, attributes);
    },
  };
}
