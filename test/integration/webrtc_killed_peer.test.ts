import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { nodeDatachannel } from "../../adapters/node_datachannel/mod.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { defineNode } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { type ActrId, actrIdEquals, parseActrId } from "../../src/protocol/ids.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import {
  adapter,
  Program,
  type RuntimeName,
  runtimeNames,
  thisRuntime,
} from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";
import { echoes } from "../fixtures/webrtc_node.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

/**
 * `deno test` ends its process in a way that this adapter has no hand in, and in it @roamhq/wrtc crashes now and then once
 * connections were lost: the killed peers have that library still, and who outlives them the other one.
 */
const stack = thisRuntime === "deno" ? "node-datachannel" : "wrtc";
const bounds = { timeout: 120_000, skip: (await whyMissing(stack)) ?? false };
const program = fileURLToPath(new URL("../fixtures/two_link_node.ts", import.meta.url));
const type = "test:Probe:1.0.0";
const timeoutMs = 2_500;

/** How a call ended: `true` when it was answered, else its error. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => true,
    (error: unknown) => error,
  );
}

/** The transports by which a node reaches a peer now. */
function linksTo({ node }: Served, peer: ActrId): readonly string[] {
  const sessions = [...node.outbound.sessions.sessions()];
  const session = sessions.find((each) => actrIdEquals(each.peer.id, peer));
  return [...(session?.links ?? [])].map(({ transport }) => transport).sort();
}

describe("peers that WebSocket and WebRTC reach", () => {
  const started: Program[] = [];
  after(async () => {
    await Promise.all(started.map((each) => each.kill()));
  });

  it(
    "killed: calls in flight fail in time with typed errors, and who comes in their place is called",
    bounds,
    async () => {
      const { serve } = await adapter();
      const options = {
        port: 0,
        hostname: "127.0.0.1",
        log: silentLogger(),
        webrtc: stack === "wrtc" ? true : nodeDatachannel(),
      } as const;
      await using caller = await serve(defineNode({ type: "test:Caller:1.0.0" }), options);
      const { pending } = caller.node.outbound;
      const start = async (runtime: RuntimeName): Promise<readonly [Program, ActrId]> => {
        const peer = new Program(runtime, program, [type, caller.identity]);
        started.push(peer);
        return [peer, parseActrId(await peer.line<string>(60_000))];
      };
      const echoed = (peer: ActrId): Promise<boolean> => echoes(caller.node, peer, 1_000, 30_000);

      const peers = await Promise.all(runtimeNames.map(start));
      for (const [, peer] of peers) {
        assert.equal(await echoed(peer), true);
        const both = (): boolean => linksTo(caller, peer).join() === "webrtc,websocket";
        await until("both links", both, 30_000);
      }
      const waiting = peers.flatMap(([, peer]) => {
        const service = caller.context.service(ProbeService, peer);
        return Array.from({ length: 8 }, () =>
          outcome(service.wait({ ms: 60_000 }, { timeoutMs })),
        );
      });
      await until("calls in flight", () => pending.size === waiting.length, 1_500);
      await Promise.all(peers.map(([peer]) => peer.kill("SIGKILL")));
      const begunAt = performance.now();
      for (const error of await Promise.all(waiting)) {
        assert.ok(ActrError.is(error), String(error));
        assert.ok(["timed_out", "unavailable", "connection_not_ready"].includes(error.code));
      }
      assert.ok(performance.now() - begunAt < timeoutMs + 3_000);
      assert.equal(pending.size, 0);

      for (const [, next] of await Promise.all(runtimeNames.map(start))) {
        assert.equal(await echoed(next), true);
      }
      assert.equal(pending.size, 0);
    },
  );
});
