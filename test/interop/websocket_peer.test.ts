import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { delay } from "#async";
import { until } from "../fixtures/until.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";
import type { Arrival } from "./peer/calls.ts";
import { type DirectWire, dialHeaders, frame } from "./peer/direct.ts";
import { ScriptedPeer } from "./peer/peer.ts";
import { directions, writeChunk, writeEnvelope } from "./peer/rpc.ts";
import { opcodes } from "./peer/websocket.ts";
import { dial, UpgradeRefused } from "./peer/websocket_handshake.ts";
import { lanes } from "./peer/wire.ts";
import {
  assertSound,
  bytesMessage,
  echoed,
  equal,
  noise,
  pauseMessage,
  routes,
  Subject,
} from "./subject.ts";

const missing = await whyMissing("wrtc");

/** Long enough for what should not come, milliseconds. */
const quietMs = 300;

const peerType = "acme:RustNode:0.5.9";

/** A request of the echo. */
function request(requestId: string): Uint8Array {
  const facts = { routeKey: routes.echo, direction: directions.request, requestId };
  return writeEnvelope({ ...facts, payload: bytesMessage(noise(9)), timeoutMs: 5_000 });
}

describe("a direct WebSocket with a scripted Actr peer", { timeout: 60_000 }, () => {
  let subject: Subject;
  before(async () => {
    subject = await Subject.start({ webrtc: false });
  });
  after(() => subject?.[Symbol.asyncDispose]());

  const start = (settings: { listens?: boolean; deafMs?: number } = {}): Promise<ScriptedPeer> =>
    ScriptedPeer.start({ ais: subject.ais, type: peerType, ...settings });

  /** A peer that listens, and that the subject knows the address of. */
  async function listening(settings: { deafMs?: number } = {}): Promise<ScriptedPeer> {
    const peer = await start({ listens: true, ...settings });
    await subject.served.context.discover(peerType);
    return peer;
  }

  describe("that the peer dials", () => {
    it("at the address that discovery tells", async () => {
      await using peer = await start();
      const [found] = await peer.signaling.discover("test:Subject:1.0.0");
      assert.equal(found?.wsAddress, subject.wsAddress);
    });

    it("takes frames right after the upgrade, and answers each on RPC_RELIABLE", async () => {
      await using peer = await start();
      const wire = await peer.dial(subject.wsAddress, subject.id);
      const ids = ["first", "second", "signal"];
      const answered = ids.map((requestId) => peer.calls.expect(requestId));
      for (const requestId of ids) {
        const lane = requestId === "signal" ? lanes.rpcSignal : lanes.rpcReliable;
        void wire.send(lane, request(requestId));
      }
      for (const { envelope, lane } of await Promise.all(answered)) {
        assert.ok(equal(echoed(envelope.payload), noise(9)));
        assert.equal(lane, lanes.rpcReliable);
      }
      assertSound(subject, peer);
    });

    it("outlives what is no frame, and answers a ping", async () => {
      await using peer = await start();
      const { socket } = await peer.dial(subject.wsAddress, subject.id);
      for (const junk of ["010000", "6300000000", "00000000056869", "", "04000000020102"])
        socket.send(Buffer.from(junk, "hex"));
      socket.frame(opcodes.text, Buffer.from("text"));
      socket.frame(opcodes.ping, Buffer.from("here"));
      assert.equal(Buffer.from(await socket.pongs.take("a pong")).toString(), "here");
      const answered = peer.calls.expect("trailing");
      socket.send(Buffer.concat([frame(lanes.rpcReliable, request("trailing")), noise(3)]));
      assert.ok(equal(echoed((await answered).envelope.payload), noise(9)));
      assert.deepEqual(socket.texts, []);
    });

    it("carries requests and chunks of the peer, and nothing but answers back", async () => {
      await using peer = await start();
      const wire = await peer.dial(subject.wsAddress, subject.id);
      await peer.calls.call(wire, routes.echo, bytesMessage(noise(1)));
      const { streams } = subject.served.context;
      let came = 0;
      streams.register("up", () => void came++);
      for (const lane of [lanes.streamReliable, lanes.streamLatencyFirst])
        await wire.send(lane, writeChunk({ streamId: "up", sequence: 0n, payload: noise(5) }));
      await until("both chunks", () => came === 2, 10_000);
      streams.unregister("up");
      await assert.rejects(subject.call(peer.id, noise(3), { timeoutMs: 500 }));
      await assert.rejects(streams.send(peer.id, "down", { payload: noise(3) }));
      await subject.served.context.tell(peer.id, routes.echo, noise(3), { timeoutMs: 500 }).then(
        () => assert.fail("a tell has no way"),
        () => {},
      );
      assert.equal(peer.calls.requests.size, 0);
      assertSound(subject, peer);
    });

    it("is refused before the upgrade without proof of who dials", async () => {
      await using peer = await start();
      await using other = await start();
      const own = dialHeaders(peer.registered);
      const { credential } = peer.registered;
      const signature = credential.signature.map((byte, at) => (at === 0 ? byte ^ 1 : byte));
      const cases = [
        [],
        own.slice(0, 1),
        own.slice(1),
        [...dialHeaders(other.registered).slice(0, 1), ...own.slice(1)],
        dialHeaders({ ...peer.registered, credential: { ...credential, signature } }),
        dialHeaders({ ...peer.registered, credential: { ...credential, keyId: 999 } }),
      ];
      for (const headers of cases) {
        await assert.rejects(dial(subject.wsAddress, headers), (error) => {
          assert.ok(error instanceof UpgradeRefused);
          assert.ok([401, 403].includes(error.status), `${error.status}`);
          return true;
        });
      }
    });

    it("ends without a code, or without a word; the next one is as good", async () => {
      await using peer = await start();
      for (const end of [
        (wire: DirectWire) => wire.close(),
        ({ socket }: DirectWire) => socket.destroy(),
      ]) {
        const wire = await peer.dial(subject.wsAddress, subject.id);
        await peer.calls.call(wire, routes.echo, bytesMessage(noise(1)));
        end(wire);
        await wire.socket.closed;
      }
      const wire = await peer.dial(subject.wsAddress, subject.id);
      await peer.calls.call(wire, routes.echo, bytesMessage(noise(1)));
      assertSound(subject, peer);
    });

    it("is closed by a request that times out: its answer, once there is one, harms nothing", async () => {
      await using peer = await start();
      const wire = await peer.dial(subject.wsAddress, subject.id);
      await assert.rejects(
        peer.calls.call(wire, routes.wait, pauseMessage(400), { timeoutMs: 150 }),
      );
      const again = await peer.dial(subject.wsAddress, subject.id);
      await peer.calls.call(again, routes.echo, bytesMessage(noise(1)));
      assert.equal((await peer.calls.orphans.take("the late answer")).wire, again);
      assertSound(subject, peer);
    });
  });

  describe("that the node dials", () => {
    it("says who it is by headers that prove it, and asks there", async () => {
      await using peer = await listening();
      assert.ok(equal(await subject.call(peer.id, noise(100)), noise(100)));
      const { wire } = await peer.calls.requests.take("the request");
      assert.deepEqual(wire.peer, subject.id);
      const payloadType = lanes.rpcSignal;
      assert.ok(equal(await subject.call(peer.id, noise(5), { payloadType }), noise(5)));
      assert.equal((await peer.calls.requests.take("the request")).lane, lanes.rpcSignal);
      for (const lane of [lanes.streamReliable, lanes.streamLatencyFirst]) {
        const sent = subject.served.context.streams.send(
          peer.id,
          "up",
          { payload: noise(70_000) },
          { payloadType: lane },
        );
        assert.equal(await sent, true);
        const { chunk, lane: came } = await peer.calls.chunks.take("a chunk");
        assert.deepEqual([came, chunk.payload.length], [lane, 70_000]);
      }
      assertSound(subject, peer);
    });

    it("misses nothing of a call though the listener is deaf while it verifies", async () => {
      await using peer = await listening({ deafMs: 100 });
      const begun = performance.now();
      assert.ok(equal(await subject.call(peer.id, noise(100), { timeoutMs: 5_000 }), noise(100)));
      assert.ok(performance.now() - begun < 4_900);
      assertSound(subject, peer);
    });

    it("is dialled anew when the listener closed it without a code", async () => {
      await using peer = await listening();
      await subject.call(peer.id, noise(1));
      const first = await peer.dialled.take("the socket");
      first.close();
      await first.socket.closed;
      assert.ok(equal(await subject.call(peer.id, noise(2)), noise(2)));
      assert.notEqual(await peer.dialled.take("the next socket"), first);
      assertSound(subject, peer);
    });

    it("is dialled anew for the request that it was lost with", async () => {
      await using peer = await listening();
      const { handler } = peer.calls;
      const ids: (string | undefined)[] = [];
      peer.calls.handler = (arrival: Arrival) => {
        ids.push(arrival.envelope.requestId);
        if (ids.length > 1) return handler(arrival);
        (arrival.wire as DirectWire).socket.destroy();
      };
      assert.ok(equal(await subject.call(peer.id, noise(2)), noise(2)));
      assert.deepEqual([ids.length, new Set(ids).size], [2, 1]);
      assertSound(subject, peer);
    });
  });
});

describe("a scripted Actr peer with both wires", {
  timeout: 60_000,
  skip: missing ?? false,
}, () => {
  let subject: Subject;
  let peer: ScriptedPeer;
  before(async () => {
    subject = await Subject.start();
    peer = await ScriptedPeer.start({ ais: subject.ais, type: peerType, listens: true });
    await subject.served.context.discover(peerType);
  });
  after(async () => {
    await peer?.[Symbol.asyncDispose]();
    await subject?.[Symbol.asyncDispose]();
  });

  it("answers may come by the wire that did not bring the request", async () => {
    const session = await peer.connect(subject.id);
    const dialled = await subject.call(peer.id, noise(1)).then(() => peer.dialled.take("a socket"));
    for (const wire of [dialled, session]) {
      peer.calls.replyWire = () => wire;
      for (let call = 0; call < 3; call++)
        assert.ok(equal(await subject.call(peer.id, noise(500)), noise(500)), wire.kind);
    }
    peer.calls.replyWire = ({ wire }) => wire;
    assertSound(subject, peer);
  });

  it("the node answers by the wire that brought the request", async () => {
    const session = await peer.connect(subject.id);
    const direct = await peer.dial(subject.wsAddress, subject.id);
    for (const wire of [session, direct, session]) {
      const answer = await peer.calls.call(wire, routes.echo, bytesMessage(noise(3)));
      assert.equal(answer.wire, wire);
    }
    assertSound(subject, peer);
  });

  it("an answer finds its way when the wire of its request is gone", async () => {
    const session = await peer.connect(subject.id);
    const direct = await peer.dial(subject.wsAddress, subject.id);
    const answered = peer.calls.expect("slow");
    const facts = { routeKey: routes.wait, direction: directions.request, requestId: "slow" };
    const body = writeEnvelope({ ...facts, payload: pauseMessage(quietMs), timeoutMs: 5_000 });
    await direct.send(lanes.rpcReliable, body);
    await delay(50);
    direct.close();
    const { envelope, wire } = await answered;
    assert.equal(envelope.error, undefined);
    assert.ok(wire === session || wire.kind === "websocket");
    assertSound(subject, peer);
  });

  it("calls go on by WebSocket at once when WebRTC ends, and by WebRTC alone when the socket does", async () => {
    const session = await peer.connect(subject.id);
    session.close();
    await until("WebSocket", () => subject.wireTo(peer.id) === "websocket", 10_000);
    for (let call = 0; call < 5; call++)
      assert.ok(equal(await subject.call(peer.id, noise(50)), noise(50)));
    await peer.connect(subject.id);
    for (const socket of peer.dialled.drain()) socket.close();
    for (let call = 0; call < 5; call++)
      assert.ok(equal(await subject.call(peer.id, noise(50)), noise(50)));
    assertSound(subject, peer);
  });

  it("one that leaves the negotiation unanswered is reached by WebSocket at once", async () => {
    await using mute = await ScriptedPeer.start({
      ...{ ais: subject.ais, type: "acme:Mute:0.5.9", listens: true },
    });
    mute.signaling.onRelay = () => {};
    await subject.served.context.discover("acme:Mute:0.5.9");
    const begun = performance.now();
    assert.ok(equal(await subject.call(mute.id, noise(50)), noise(50)));
    assert.ok(performance.now() - begun < 8_000);
    assertSound(subject, mute);
  });

  it("one that answers nowhere fails a call in its time", async () => {
    await using mute = await ScriptedPeer.start({ ais: subject.ais, type: "acme:Mute:0.5.9" });
    mute.signaling.onRelay = () => {};
    const begun = performance.now();
    await assert.rejects(subject.call(mute.id, noise(50), { timeoutMs: 700 }));
    assert.ok(performance.now() - begun < 10_000);
    assertSound(subject, mute);
  });
});
