import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { RecordingTracer } from "../../adapters/memory/recording_tracer.ts";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { EchoService } from "../../examples/echo/echo_pb.ts";
import type { Context } from "../../src/context.ts";
import { defineNode, service } from "../../src/define.ts";
import { LedgerService } from "../fixtures/ledger_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";

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

    const [farHandler, nearCall, nearHandler, firstCall] = tracer.spans;
    assert.deepEqual(
      tracer.spans.map(({ name }) => name),
      [
        "ActrNode.handle_incoming",
        "RuntimeContext.call_raw",
        "ActrNode.handle_incoming",
        "RuntimeContext.call_raw",
      ],
    );
    assert.equal(farHandler?.parentSpanId, nearCall?.spanId);
    assert.equal(nearCall?.parentSpanId, nearHandler?.spanId);
    assert.equal(nearHandler?.parentSpanId, firstCall?.spanId);
    assert.equal(firstCall?.parentSpanId, "b7ad6b7169203331");
    assert.equal(new Set(tracer.spans.map(({ traceId }) => traceId)).size, 1);
  });
});
