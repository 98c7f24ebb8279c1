import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import type { Node } from "../../src/node/node.ts";
import type { TraceContext } from "../../src/ports/tracer.ts";
import { decodeEnvelope, directions } from "../../src/protocol/envelope.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import { webRtcNode } from "../fixtures/webrtc_node.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";
import { Running } from "./rendezvous_server.ts";

const missing = await whyMissing("wrtc");
const bounds = { timeout: 60_000, skip: missing ?? false };
const trace = {
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=1,other=2",
};

/** Writes down the trace of each request and answer that comes in at a node, as it is on the wire. */
function watch({ inbound: { gate } }: Node, seen: [string, TraceContext][]): void {
  const receive = gate.receive.bind(gate);
  gate.receive = (frame, from, link) => {
    const { direction, traceparent, tracestate } = decodeEnvelope(frame.body);
    seen.push([
      direction === directions.request ? "request" : "answer",
      { traceparent, tracestate },
    ]);
    return receive(frame, from, link);
  };
}

describe("the trace context on the wire", bounds, () => {
  it("[N-166] [T-91] survives a round trip in the process and a hop over WebRTC; absent stays empty in both", async () => {
    await using rendezvous = await Running.start(new MemoryStore());
    const identity = `${rendezvous.base}/ais`;
    await using near = await webRtcNode("test:Near:1.0.0", identity);
    await using far = await webRtcNode("test:Far:1.0.0", identity);
    const seen: [string, TraceContext][] = [];
    watch(near.node, seen);
    watch(far.node, seen);
    const absent = { traceparent: undefined, tracestate: undefined };
    for (const target of [near.node.id, far.node.id]) {
      for (const context of [trace, absent]) {
        await near.node.context.service(ProbeService, target).echo({}, { trace: context });
        const expected = [
          ["request", context],
          ["answer", context],
        ];
        assert.deepEqual(seen.splice(0), expected);
      }
    }
    assert.equal(near.transport.connections, 1);
  });
});
