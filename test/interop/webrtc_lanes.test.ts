import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../fixtures/until.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";
import { fragment, fragments, maxMessageBytes } from "./peer/fragments.ts";
import type { ScriptedPeer } from "./peer/peer.ts";
import { type Chunk, directions, writeChunk, writeEnvelope } from "./peer/rpc.ts";
import type { RtcSession } from "./peer/rtc_session.ts";
import { lanes } from "./peer/wire.ts";
import {
  assertSound,
  assertTalks,
  bytesMessage,
  echoed,
  equal,
  noise,
  roles,
  routes,
  Subject,
  startPeer,
} from "./subject.ts";

const missing = await whyMissing("wrtc");
const bounds = { timeout: 60_000, skip: missing ?? false };

/** A request of the echo with `size` bytes. */
function request(requestId: string, size: number): Uint8Array {
  const facts = { routeKey: routes.echo, direction: directions.request, requestId };
  const payload = bytesMessage(noise(size));
  return writeEnvelope({ ...facts, payload, timeoutMs: 10_000 });
}

for (const role of roles) {
  describe(`lanes of a scripted Actr peer that is the ${role}`, bounds, () => {
    let subject: Subject;
    let peer: ScriptedPeer;
    let session: RtcSession;
    before(async () => {
      subject = await Subject.start();
      peer = await startPeer(subject, role);
      session = await peer.connect(subject.id);
    });
    after(async () => {
      await peer?.[Symbol.asyncDispose]();
      await subject?.[Symbol.asyncDispose]();
    });

    /** Sends these messages on the reliable lane; whether all of the requests are answered with what they asked for. */
    async function answers(requestIds: readonly string[], size: number, send: Send): Promise<void> {
      const answered = requestIds.map((requestId) => peer.calls.expect(requestId));
      for (const message of send(requestIds.map((id) => request(id, size))))
        await session.lanes[lanes.rpcReliable]?.raw(message);
      for (const { envelope } of await Promise.all(answered))
        assert.ok(equal(echoed(envelope.payload), noise(size)), envelope.requestId);
    }

    const takeId = (): number => session.lanes[lanes.rpcReliable]?.takeId() ?? 0;

    it("no message of the node is shorter than its header or longer than 65,535 bytes, and none is text", async () => {
      await assertTalks(subject, peer, [0, 1_048_576]);
      const { sizes } = session.lanes[lanes.rpcReliable] as RtcSession["lanes"][number];
      assert.equal(Math.max(...sizes), maxMessageBytes);
      // An answer of 1 MB and a request of 1 MB, each in 16 full fragments and a rest.
      assert.equal(sizes.filter((size) => size === maxMessageBytes).length, 32);
    });

    it("fragments of two requests may take turns", async () => {
      await answers(["turn-1", "turn-2"], 200_000, (bodies) => {
        const [one = [], other = []] = bodies.map((body) => fragments(takeId(), body));
        return one.flatMap((part, at) => [part, other[at] ?? part]);
      });
    });

    it("fragments may be small, come in any order, and twice", async () => {
      await answers(["any-order"], 5_000, ([body = new Uint8Array(0)]) => {
        const parts = fragments(takeId(), body, 1_008).reverse();
        return [...parts.slice(0, 2), ...parts];
      });
    });

    it("messages that are none leave the lane as it is", async () => {
      const lane = session.lanes[lanes.rpcReliable];
      const junk = [
        new Uint8Array(7),
        fragment(9_000, 0, 0, noise(3)),
        fragment(9_001, 5, 2, noise(3)),
        fragment(9_002, 1, 3, noise(3)),
      ];
      for (const message of junk) await lane?.raw(message);
      await lane?.raw("text");
      await answers(["after-junk"], 10, ([body = new Uint8Array(0)]) => fragments(takeId(), body));
      assertSound(subject, peer);
    });

    it("numbers of messages are no more than names: they may start over", async () => {
      for (const requestId of ["number-1", "number-2"])
        await answers([requestId], 70_000, ([body = new Uint8Array(0)]) => fragments(7, body));
    });

    it("a request on RPC_SIGNAL is answered on RPC_RELIABLE", async () => {
      const lane = lanes.rpcSignal;
      const answer = await peer.calls.call(session, routes.echo, bytesMessage(noise(5)), { lane });
      assert.equal(answer.lane, lanes.rpcReliable);
      assert.ok(equal(echoed(answer.envelope.payload), noise(5)));
    });

    it("the node's request on RPC_SIGNAL comes there, and its answer may come on either lane", async () => {
      const { calls } = peer;
      const payloadType = lanes.rpcSignal;
      for (const lane of [lanes.rpcReliable, lanes.rpcSignal]) {
        calls.requests.drain();
        calls.handler = (arrival) => calls.reply(arrival, {}, lane);
        assert.ok(equal(await subject.call(peer.id, noise(5), { payloadType }), noise(5)));
        assert.equal((await calls.requests.take("the request")).lane, lanes.rpcSignal);
        assert.ok(equal(await subject.call(peer.id, noise(5)), noise(5)));
      }
      calls.handler = (arrival) => calls.reply(arrival);
    });

    it("64 requests are in flight at once, in both directions", async () => {
      const asked = Array.from({ length: 64 }, (_, at) => subject.call(peer.id, noise(3_000, at)));
      const body = bytesMessage(noise(3_000));
      const answered = asked.map(() => peer.calls.call(session, routes.echo, body));
      for (const [at, answer] of (await Promise.all(asked)).entries())
        assert.ok(equal(answer, noise(3_000, at)));
      for (const { envelope } of await Promise.all(answered))
        assert.ok(equal(echoed(envelope.payload), noise(3_000)));
      assertSound(subject, peer);
    });

    for (const lane of [lanes.streamReliable, lanes.streamLatencyFirst]) {
      it(`chunks go both ways on lane ${lane}`, async () => {
        const { streams } = subject.served.context;
        const [streamId, payload] = [`stream-${lane}`, noise(1_000)];
        const came: Chunk[] = [];
        streams.register(streamId, (chunk) => void came.push(toChunk(chunk)));
        const timestampMs = 1_700_000_000_000n;
        for (const sequence of [0n, 1n, 2n])
          await session.send(lane, writeChunk({ streamId, sequence, payload, timestampMs }));
        await session.send(lane, writeChunk({ streamId: "nobody's", sequence: 0n, payload }));
        await until("three chunks", () => came.length === 3, 10_000);
        assert.deepEqual(came.map(({ sequence }) => sequence).sort(), [0n, 1n, 2n]);
        assert.ok(came.every((chunk) => equal(chunk.payload, payload)));
        assert.ok(came.every((chunk) => chunk.timestampMs === timestampMs));
        const init = { payload: noise(70_000), sequence: 9n };
        assert.equal(await streams.send(peer.id, streamId, init, { payloadType: lane }), true);
        const back = await peer.calls.chunks.take("a chunk");
        assert.equal(back.lane, lane);
        assert.deepEqual([back.chunk.streamId, back.chunk.sequence], [streamId, 9n]);
        assert.ok(equal(back.chunk.payload, noise(70_000)));
        assert.equal(back.chunk.timestampMs, undefined);
        streams.unregister(streamId);
        assertSound(subject, peer);
      });
    }
  });
}

type Send = (bodies: Uint8Array[]) => Uint8Array<ArrayBuffer>[];

function toChunk(chunk: {
  streamId: string;
  sequence: bigint;
  payload: Uint8Array;
  timestampMs?: bigint | number | undefined;
}): Chunk {
  const { streamId, sequence, payload, timestampMs } = chunk;
  return {
    streamId,
    sequence,
    payload,
    timestampMs: timestampMs === undefined ? undefined : BigInt(timestampMs),
  };
}
