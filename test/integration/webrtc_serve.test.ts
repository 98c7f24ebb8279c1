import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { defineNode, service } from "../../src/define.ts";
import type { Link } from "../../src/ports/transport.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";
import { echoes } from "../fixtures/webrtc_node.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

const missing = await whyMissing("wrtc");
const bounds = { timeout: 60_000, skip: missing ?? false };

const probe = service(ProbeService, {
  handlers: { echo: ({ data }) => ({ data }), wait: () => ({}) },
});

/** The link that requests of `from` leave on. */
function requestLink({ node }: Served): Link | undefined {
  const [session] = node.outbound.sessions.sessions();
  return session?.requestLink;
}

/** Two nodes that have WebSocket and WebRTC; the first embeds the rendezvous. */
async function twoNodes(): Promise<[Served, Served]> {
  const { serve } = await adapter();
  const options = { port: 0, hostname: "127.0.0.1", log: silentLogger(), webrtc: true } as const;
  const define = (name: string) => defineNode({ type: `test:${name}:1.0.0`, services: [probe] });
  const one = await serve(define("One"), options);
  return [one, await serve(define("Other"), { ...options, identity: one.identity })];
}

describe("the option webrtc", bounds, () => {
  it("WebRTC takes over from WebSocket, and back when it fails under load, without a lost call", async () => {
    const [one, other] = await twoNodes();
    await using _one = one;
    await using _other = other;
    assert.equal(await echoes(one.node, other.id, 100), true);
    await until("WebRTC", () => requestLink(one)?.transport === "webrtc", 10_000);
    assert.equal(await echoes(one.node, other.id, 100_000), true);
    const calls: Promise<boolean>[] = [];
    for (let sent = 0; sent < 100; sent++) {
      calls.push(echoes(one.node, other.id, 1_000));
      if (sent === 50) void requestLink(one)?.close("test");
    }
    assert.ok((await Promise.all(calls)).every((equal) => equal));
    assert.equal(requestLink(one)?.transport, "websocket");
    assert.equal(one.node.outbound.pending.size, 0);
  });

  it("leaves a node without WebRTC unless it is set", async () => {
    const { serve } = await adapter();
    const options = { port: 0, hostname: "127.0.0.1", log: silentLogger() };
    await using one = await serve(defineNode({ type: "test:One:1.0.0" }), options);
    await using other = await serve(defineNode({ type: "test:Other:1.0.0", services: [probe] }), {
      ...options,
      identity: one.identity,
      webrtc: true,
    });
    assert.equal(await echoes(one.node, other.id, 100), true);
    assert.equal(requestLink(one)?.transport, "websocket");
  });
});
