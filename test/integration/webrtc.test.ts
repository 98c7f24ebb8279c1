import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { delay } from "#async";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import type { HookPayload } from "../../src/hooks.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import { until } from "../fixtures/until.ts";
import { echoes, type WebRtcNode, webRtcNode } from "../fixtures/webrtc_node.ts";
import { webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";
import { Running } from "./rendezvous_server.ts";

const missing = await whyMissing("wrtc");
const bounds = { timeout: 60_000, skip: missing ?? false };
/** What a call fails with when nothing carries it. */
const transportErrors = ["unavailable", "timed_out", "connection_not_ready"];

/** wrtc, as `withhold` tells it: how many of the first candidates of each connection never leave. */
async function stackWithout(withhold: number): Promise<PeerConnections> {
  const stack = await webrtcStacks.wrtc();
  return {
    ...stack,
    create(options, handler) {
      let left = withhold;
      return stack.create(options, {
        state: (state) => handler.state(state),
        channel: (channel) => handler.channel(channel),
        candidate: (candidate) => {
          if (left-- <= 0) handler.candidate(candidate);
        },
      });
    },
  };
}

describe("nodes that WebRTC alone reaches", bounds, () => {
  let rendezvous: Running;
  let near: WebRtcNode;
  let far: WebRtcNode;
  const told: [string, HookPayload<"onWebRtcConnected">][] = [];

  const start = (settings: Parameters<typeof webRtcNode>[2] = {}): Promise<WebRtcNode> =>
    webRtcNode("test:Probe:1.0.0", `${rendezvous.base}/ais`, settings);

  before(async () => {
    rendezvous = await Running.start(new MemoryStore());
    near = await start({
      hooks: {
        onWebRtcConnecting: (_context, event) => void told.push(["connecting", event]),
        onWebRtcConnected: (_context, event) => void told.push(["connected", event]),
        onWebRtcDisconnected: (_context, event) => void told.push(["disconnected", event]),
      },
    });
    far = await start();
  });

  after(async () => {
    await near?.[Symbol.asyncDispose]();
    await far?.[Symbol.asyncDispose]();
    await rendezvous?.[Symbol.asyncDispose]();
  });

  it("[T-7] two first calls at once share one connection", async () => {
    const answers = await Promise.all([1, 2].map(() => echoes(near.node, far.node.id, 100)));
    assert.deepEqual(answers, [true, true]);
    assert.equal(near.transport.connections, 1);
    assert.equal(near.node.outbound.sessions.size, 1);
  });

  it("[N-7] bytes come back equal, in both directions: 0 B, 64 KB, 1 MB, 64 calls at once", async () => {
    const { node: one } = near;
    const { node: other } = far;
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      for (const bytes of [0, 65_536, 1_048_576]) {
        assert.equal(await echoes(from, to.id, bytes), true, `${bytes} bytes`);
      }
      const calls = Array.from({ length: 64 }, () => echoes(from, to.id, 4_096));
      assert.ok((await Promise.all(calls)).every((equal) => equal));
    }
    assert.deepEqual([one.outbound.pending.size, other.outbound.pending.size], [0, 0]);
    assert.deepEqual([near.transport.connections, far.transport.connections], [1, 1]);
  });

  it("tells of the connection by hooks, and whether a relay carries it", () => {
    const peer = far.node.id;
    assert.deepEqual(told.splice(0), [
      ["connecting", { peer, status: "connecting" }],
      ["connected", { peer, status: "connected", relayed: false }],
    ]);
  });

  it("[N-10] a call ends in time, with a transport's error, when every candidate is lost", async () => {
    const settings = { webrtc: await stackWithout(Number.POSITIVE_INFINITY) };
    await using mute = await start(settings);
    await using deaf = await start(settings);
    const begunAt = performance.now();
    await assert.rejects(echoes(mute.node, deaf.node.id, 10, 1_500), ({ code }) =>
      transportErrors.includes(code),
    );
    assert.ok(performance.now() - begunAt < 15_000);
    assert.equal(mute.node.outbound.pending.size, 0);
  });

  it("[T-10] a call ends though three candidates were lost", async () => {
    await using lossy = await start({ webrtc: await stackWithout(3) });
    assert.equal(await echoes(lossy.node, far.node.id, 10, 10_000), true);
  });

  it("both call each other first at the same moment", async () => {
    await using one = await start();
    await using other = await start();
    const both = await Promise.all([
      echoes(one.node, other.node.id, 100, 5_000),
      echoes(other.node, one.node.id, 100, 5_000),
    ]);
    assert.deepEqual(both, [true, true]);
    assert.deepEqual([one.transport.connections, other.transport.connections], [1, 1]);
  });

  it("[T-12] [N-14] finds a node and calls it; an unknown route is an error at once; one that has left is a transport's", async () => {
    const leaving = await webRtcNode("test:Leaving:1.0.0", `${rendezvous.base}/ais`);
    const { context } = near.node;
    const [found] = await context.discover("test:Leaving:1.0.0");
    assert.ok(found !== undefined);
    assert.equal(await echoes(near.node, found, 10), true);
    const call = context.call(found, "probe.ProbeService.Nothing", new Uint8Array(0));
    await assert.rejects(call, { code: "unknown_route" });
    await leaving[Symbol.asyncDispose]();
    const begunAt = performance.now();
    await assert.rejects(echoes(near.node, found, 10, 1_000), ({ code }) =>
      transportErrors.includes(code),
    );
    assert.ok(performance.now() - begunAt < 10_000);
    assert.equal(near.node.outbound.pending.size, 0);
  });

  it("[T-9] a call of a node that does not exist fails at once", async () => {
    const nobody = { ...far.node.id, serial: far.node.id.serial + 1_000n };
    const begunAt = performance.now();
    await assert.rejects(echoes(near.node, nobody, 10, 500), ({ code }) =>
      ["not_found", ...transportErrors].includes(code),
    );
    assert.ok(performance.now() - begunAt < 10_000);
    assert.equal(near.node.outbound.pending.size, 0);
  });

  it("goes on over connections that are up while signaling is away", async () => {
    assert.equal(await echoes(near.node, far.node.id, 10), true);
    await near.node.presence.signaling.disconnect("test");
    assert.equal(await echoes(near.node, far.node.id, 10), true);
    await near.node.presence.signaling.attempt({ signal: AbortSignal.timeout(10_000) });
  });

  it("restarts ICE on a live connection, from either side, under load", async () => {
    for (const [mover, stayer] of [
      [near, far],
      [far, near],
    ] as const) {
      const [session] = mover.node.outbound.sessions.sessions();
      const [link] = session?.links ?? [];
      assert.ok(link !== undefined);
      const recovered = link.recover?.(1_000);
      const calls: Promise<boolean>[] = [];
      for (let sent = 0; sent < 50; sent++) {
        calls.push(echoes(mover.node, stayer.node.id, 2_000));
        await delay(5);
      }
      assert.equal(await recovered, true);
      assert.ok((await Promise.all(calls)).every((equal) => equal));
      assert.deepEqual([near.transport.connections, far.transport.connections], [1, 1]);
    }
  });

  it("leaves nothing behind when it stops", async () => {
    const leaving = await start();
    assert.equal(await echoes(leaving.node, far.node.id, 10), true);
    await leaving[Symbol.asyncDispose]();
    assert.equal(leaving.transport.connections, 0);
    await until("the peer has noticed", () => far.transport.connections === 1, 10_000);
  });
});
