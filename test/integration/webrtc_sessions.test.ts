import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { delay } from "#async";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { ActrError } from "../../src/errors.ts";
import type { NetworkEvent } from "../../src/node/network_event.ts";
import type { Link } from "../../src/ports/transport.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import { until } from "../fixtures/until.ts";
import { echoes, type WebRtcNode, webRtcNode } from "../fixtures/webrtc_node.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";
import { Running } from "./rendezvous_server.ts";

const bounds = { timeout: 60_000, skip: (await whyMissing("wrtc")) ?? false };

const force: NetworkEvent = { kind: "reconnect", reason: "manual" };
const cleanup: NetworkEvent = { kind: "cleanup", reason: "manual_reset" };
let sequence = 0;
const wifi = (): NetworkEvent => ({
  kind: "path",
  sequence: ++sequence,
  availability: "available",
  transports: ["wifi"],
});

/** Tells a node what has become of its network; resolves when it has dealt with all of it. */
async function report({ node }: WebRtcNode, ...events: NetworkEvent[]): Promise<void> {
  const results = await Promise.all(events.map((event) => node.network.report(event)));
  assert.ok(results.every(({ success }) => success));
}

/** `true` when a call came back as it was, else the code that it failed with. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  return await call.catch((error: unknown) => ActrError.from(error).code);
}

/** The link that a node's requests leave on. */
function requestLink({ node }: WebRtcNode): Link | undefined {
  const [session] = node.outbound.sessions.sessions();
  return session?.requestLink;
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, each) => total + (each ?? 0), 0);
}

const pendingOf = ({ node }: WebRtcNode): number => node.outbound.pending.size;

describe("sessions of nodes that WebRTC alone reaches", bounds, () => {
  let rendezvous: Running;
  let near: WebRtcNode;
  let far: WebRtcNode;

  before(async () => {
    rendezvous = await Running.start(new MemoryStore());
    const start = () => webRtcNode("test:Probe:1.0.0", `${rendezvous.base}/ais`);
    [near, far] = [await start(), await start()];
  });

  after(async () => {
    await near?.[Symbol.asyncDispose]();
    await far?.[Symbol.asyncDispose]();
    await rendezvous?.[Symbol.asyncDispose]();
  });

  /** Whether a call, repeated every 250 ms, succeeds in time. */
  const eventually = (from: WebRtcNode, to: WebRtcNode, limitMs: number): Promise<void> =>
    until(
      "a call succeeds",
      async () => {
        if ((await outcome(echoes(from.node, to.node.id, 100, 2_000))) === true) return true;
        await delay(250);
        return false;
      },
      limitMs,
    );

  it("[T-5] first calls of both at once end within 8 s, and succeed within 15 s of new connections on both sides", async () => {
    const begunAt = performance.now();
    const ended = await Promise.all([
      outcome(echoes(near.node, far.node.id, 100, 5_000)),
      outcome(echoes(far.node, near.node.id, 100, 5_000)),
    ]);
    assert.ok(performance.now() - begunAt < 8_000);
    const possible = [true, "unavailable", "timed_out", "connection_not_ready"];
    assert.ok(
      ended.every((each) => possible.includes(each as string)),
      ended.join(),
    );
    assert.deepEqual([pendingOf(near), pendingOf(far)], [0, 0]);
    await Promise.all([report(near, force, wifi()), report(far, force, wifi())]);
    await eventually(near, far, 15_000);
    await eventually(far, near, 15_000);
  });

  it("[T-11] calls around an ICE restart succeed or are told to come again, whenever they are sent", async () => {
    const links = [near, far].map(requestLink);
    const restarts = (): number => sum(links.map((link) => link?.figures?.restarts));
    for (const side of [near, far]) {
      const before = restarts();
      const calls: Promise<unknown>[] = [];
      let reported = false;
      let answered = false;
      const done = report(side, wifi()).finally(() => {
        reported = true;
      });
      const isOver = (): boolean => reported && answered && restarts() > before;
      // The moment at which the connection is up again is among those at which a call is sent.
      for (const begunAt = performance.now(); !isOver() && performance.now() < begunAt + 20_000; ) {
        const call = outcome(echoes(near.node, far.node.id, 100));
        calls.push(call);
        void call.then((each) => {
          answered ||= reported && each === true;
        });
        await delay(5);
      }
      await done;
      assert.equal(isOver(), true);
      const ended = [...new Set(await Promise.all(calls))];
      assert.deepEqual(
        ended.filter((each) => each !== true && each !== "connection_not_ready"),
        [],
      );
      assert.equal(pendingOf(near), 0);
    }
    assert.equal(requestLink(near), links[0], "the connection is still the same");
  });

  it("[T-38] a cleanup ends a pending call, and leaves the node able to connect again", async () => {
    // Its handler holds the only turn of the other node.
    const waits = near.node.context.service(ProbeService, far.node.id).wait({ ms: 2_000 });
    const call = outcome(waits);
    await delay(100);
    const begunAt = performance.now();
    const cleaned = report(near, cleanup);
    assert.equal(await call, "unavailable");
    assert.ok(performance.now() - begunAt < 6_000);
    assert.equal(pendingOf(near), 0);
    await cleaned;
    assert.deepEqual([near.node.outbound.sessions.size, near.transport.connections], [0, 0]);
    await report(near, wifi());
    await eventually(near, far, 10_000);
  });

  it("[T-44] a call during a cleanup ends in time, and one after it has another connection", async () => {
    const old = requestLink(near);
    assert.ok(old !== undefined);
    const cleaned = report(near, cleanup);
    assert.notEqual(await outcome(echoes(near.node, far.node.id, 100, 5_000)), true);
    await cleaned;
    assert.equal(near.node.outbound.sessions.size, 0);
    await report(near, wifi());
    await eventually(near, far, 10_000);
    assert.notEqual(requestLink(near), old);
    const [session] = near.node.outbound.sessions.sessions();
    assert.equal(session?.links.size, 1);
  });
});
