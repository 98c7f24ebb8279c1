import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeDatachannel } from "@roost/edge/node-datachannel";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { loadNative } from "../../adapters/webrtc/load.ts";
import { defineNode, service } from "../../src/define.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";
import { echoes } from "../fixtures/webrtc_node.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

const probe = service(ProbeService, {
  handlers: { echo: ({ data }) => ({ data }), wait: () => ({}) },
});

const missing = await whyMissing("node-datachannel");
const bounds = { timeout: 60_000, skip: missing ?? false };

describe("the entry point of node-datachannel", () => {
  it("gives serve() its stack, whose links say how far away the peer is", bounds, async () => {
    const { serve } = await adapter();
    const webrtc = nodeDatachannel({ bindAddress: "127.0.0.1" });
    const options = { port: 0, hostname: "127.0.0.1", log: silentLogger(), webrtc } as const;
    const define = (name: string) =>
      defineNode({
        type: `test:${name}:1.0.0`,
        services: [probe],
        options: { session: { heartbeatMs: 400 } },
      });
    await using one = await serve(define("One"), options);
    await using other = await serve(define("Other"), { ...options, identity: one.identity });
    assert.equal(await echoes(one.node, other.id, 100), true);
    const link = () => [...one.node.outbound.sessions.sessions()][0]?.requestLink;
    await until("WebRTC", () => link()?.transport === "webrtc", 20_000);
    const rttMs = () =>
      link()?.figures?.rttMs ??
      [...other.node.outbound.sessions.sessions()][0]?.requestLink?.figures?.rttMs;
    await until("a heartbeat", () => rttMs() !== undefined, 20_000);
    assert.equal(await echoes(one.node, other.id, 100), true);
  });

  it("names the package that is missing", async () => {
    const load = () => Promise.reject(new Error("no such module"));
    await assert.rejects(loadNative("node-datachannel", load), {
      code: "config",
      message: /npm install node-datachannel/,
    });
  });
});
