import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { nodeDatachannel } from "../../adapters/node_datachannel/mod.ts";
import { echoes, type WebRtcNode, webRtcNode } from "../fixtures/webrtc_node.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";
import { Running } from "./rendezvous_server.ts";

const skip = (await whyMissing("wrtc")) ?? (await whyMissing("node-datachannel")) ?? false;
const bounds = { timeout: 120_000, skip };
const rounds = 4;

describe("nodes of different WebRTC libraries", () => {
  for (const middle of ["wrtc", "node-datachannel"] as const) {
    it(
      `three that call each other at once, the second over ${middle}, all connect, whoever offers`,
      bounds,
      async () => {
        await using rendezvous = await Running.start(new MemoryStore());
        const start = (library: string): Promise<WebRtcNode> =>
          webRtcNode("test:Probe:1.0.0", `${rendezvous.base}/ais`, {
            webrtc: library === "wrtc" ? true : nodeDatachannel({ bindAddress: "127.0.0.1" }),
          });
        const outer = middle === "wrtc" ? "node-datachannel" : "wrtc";
        for (let round = 0; round < rounds; round++) {
          await using one = await start(outer);
          await using two = await start(middle);
          await using three = await start(outer);
          const circle = [one, two, three, one].map(({ node }) => node);
          // The server makes the side that asks the offerer of some pairs and the answerer of others.
          if (round % 2 === 1) circle.reverse();
          const calls = circle
            .slice(1)
            .map((to, at) => echoes(circle[at] ?? to, to.id, 1_000, 30_000));
          assert.deepEqual(await Promise.all(calls), [true, true, true]);
          assert.deepEqual(
            [one, two, three].map(({ transport }) => transport.connections),
            [2, 2, 2],
          );
        }
      },
    );
  }
});
