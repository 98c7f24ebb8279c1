import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IceCandidate } from "../../../src/ports/peer_connections.ts";
import {
  ActrRelaySchema,
  create,
  type MessageInit,
  SessionDescription_Type as types,
} from "../../../src/protocol/schema.ts";
import type { RelayInit, RelayPayload } from "../../../src/signaling/signaling_listeners.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { EarlyCandidates } from "../../../transports/webrtc/early_candidates.ts";
import { IceFragments } from "../../../transports/webrtc/ice_fragments.ts";
import { candidateMessage, readSignal } from "../../../transports/webrtc/peer_signals.ts";
import { RemoteCandidates } from "../../../transports/webrtc/remote_candidates.ts";
import { iceServers } from "../../../transports/webrtc/webrtc_options.ts";
import type { FakeRelay } from "./fake_signaling.ts";
import { WebRtcWorld } from "./webrtc_world.ts";

const candidate = "candidate:1 1 udp 1 10.0.0.1 9 typ host";

function sdpOf(fragment: string): string {
  return `v=0\r\na=ice-ufrag:${fragment}\r\nm=application 9\r\na=mid:0\r\n`;
}

/** A candidate as real clients send it: with index and fragment, without mid. */
function of(usernameFragment: string): IceCandidate {
  return { candidate, sdpMLineIndex: 0, usernameFragment };
}

function payloadOf(init: MessageInit<typeof ActrRelaySchema>["payload"]): RelayPayload {
  return create(ActrRelaySchema, { payload: init as RelayInit }).payload as RelayPayload;
}

describe("WebRTC: to which generation a candidate belongs", () => {
  const session = "v=0\r\na=ice-ufrag:S\r\n";
  const media = "m=application 9\r\na=mid:0\r\na=ice-ufrag:M\r\n";

  it("prefers the media section's fragment to the session's", () => {
    assert.equal(new IceFragments(session + media).of({ candidate, sdpMLineIndex: 0 }), "M");
    assert.equal(
      new IceFragments(`${session}m=application 9\r\na=mid:0\r\n`).of({
        candidate,
        sdpMLineIndex: 0,
      }),
      "S",
    );
  });

  it("goes by mid, else by index, else takes what all sections share", () => {
    const two = `v=0\r\n${media}m=audio 9\r\na=mid:1\r\na=ice-ufrag:N\r\n`;
    const fragments = new IceFragments(two);
    assert.equal(fragments.of({ candidate, sdpMid: "1", sdpMLineIndex: 0 }), "N");
    assert.equal(fragments.of({ candidate, sdpMLineIndex: 1 }), "N");
    assert.equal(fragments.of({ candidate }), undefined);
    assert.equal(new IceFragments(`v=0\r\n${media}`).of({ candidate }), "M");
  });

  it("keeps what comes before its description, drops the last eight generations, takes the present one", () => {
    const candidates = new RemoteCandidates();
    assert.equal(candidates.take(of("a")), false);
    assert.equal(candidates.take(of("later")), false);
    assert.deepEqual(candidates.described(sdpOf("a")), [of("a")]);
    assert.equal(candidates.take(of("a")), true);
    assert.equal(candidates.take({ candidate }), true);
    for (let past = 1; past <= 9; past++) candidates.described(sdpOf(`g${past}`));
    assert.deepEqual(candidates.waiting, [of("later")]);
    candidates.take(of("g1"));
    assert.deepEqual(candidates.waiting, [of("later")]);
    candidates.take(of("a"));
    assert.deepEqual(candidates.waiting, [of("later"), of("a")]);
    assert.deepEqual(candidates.described(sdpOf("later")), [of("later")]);
  });

  it("keeps 256 at most, the newest", () => {
    const candidates = new RemoteCandidates();
    for (let index = 0; index < 300; index++) candidates.take(of(`f${index}`));
    assert.equal(candidates.waiting.length, 256);
    assert.deepEqual(candidates.waiting[0], of("f44"));
  });

  it("uses 256 of a generation at most, also when it is described again", () => {
    const candidates = new RemoteCandidates();
    const used = (fragment: string): number => {
      const many = Array.from({ length: 200 }, () => candidates.take(of(fragment)));
      return many.filter((taken) => taken).length;
    };
    candidates.described(sdpOf("a"));
    assert.equal(used("a"), 200);
    candidates.described(sdpOf("a"));
    assert.equal(used("a"), 56);
    assert.deepEqual(candidates.waiting, []);
    candidates.described(sdpOf("b"));
    assert.equal(used("b"), 200);
  });
});

describe("WebRTC: candidates that come before any offer", () => {
  it("are kept for the 64 peers that came last, until they are taken", () => {
    const early = new EarlyCandidates();
    for (let peer = 0; peer <= 64; peer++) early.add(`${peer}`, of("a"));
    early.add("64", of("b"));
    assert.equal(early.take("0"), undefined);
    assert.deepEqual(early.take("1")?.waiting, [of("a")]);
    assert.deepEqual(early.take("64")?.waiting, [of("a"), of("b")]);
    assert.equal(early.take("64"), undefined);
  });
});

describe("WebRTC: what peers say through signaling", () => {
  it("reads candidates as real clients send them: without mid, with index and fragment", () => {
    const value = { candidate, sdpMlineIndex: 0, usernameFragment: "abcd" };
    assert.deepEqual(readSignal(payloadOf({ case: "iceCandidate", value })), {
      kind: "candidate",
      candidate: of("abcd"),
    });
  });

  it("tells an exchange id that is empty from one that is missing", () => {
    const read = (value: { type: 0; sdp: string; sdpExchangeId?: string }): unknown =>
      readSignal(payloadOf({ case: "sessionDescription", value }));
    const sdp = "v=0";
    assert.deepEqual(read({ type: types.OFFER, sdp }), {
      kind: "offer",
      sdp,
      exchangeId: undefined,
    });
    assert.deepEqual(read({ type: types.OFFER, sdp, sdpExchangeId: "" }), {
      kind: "offer",
      sdp,
      exchangeId: "",
    });
  });

  it("drops what no stack should be given", () => {
    const huge = "x".repeat(70_000);
    for (const odd of [{ sdp: huge }, { sdp: "v=0", sdpExchangeId: huge }]) {
      const value = { type: types.OFFER, ...odd };
      assert.equal(readSignal(payloadOf({ case: "sessionDescription", value })), undefined);
    }
    for (const odd of [
      { candidate: huge },
      { candidate, sdpMid: huge },
      { candidate, usernameFragment: huge },
      { candidate, sdpMlineIndex: 0x1_0000 },
    ]) {
      assert.equal(readSignal(payloadOf({ case: "iceCandidate", value: odd })), undefined);
    }
  });

  it("sends candidates with index and fragment, which Actr peers demand", () => {
    const local = { candidate, sdpMid: "", sdpMLineIndex: 0, usernameFragment: "abcd" };
    assert.deepEqual(candidateMessage(local), {
      case: "iceCandidate",
      value: { candidate, sdpMlineIndex: 0, usernameFragment: "abcd" },
    });
  });

  it("leaves relays out while there is no login for them", () => {
    const options = { stunUrls: ["stun:a"], turnUrls: ["turn:b"], relayOnly: false };
    assert.deepEqual(iceServers(options, undefined), [{ urls: ["stun:a"] }]);
    const login = { username: "1:me", password: "secret", expiresAtMs: 1_000 };
    assert.deepEqual(iceServers(options, login), [
      { urls: ["stun:a"] },
      { urls: ["turn:b"], username: "1:me", credential: "secret" },
    ]);
  });

  it("takes the servers that came with the login where it is told none", () => {
    const iceUrls = ["stun:c", "turn:d", "TURNS:e", "http://f"];
    const login = { username: "1:me", password: "secret", expiresAtMs: 1_000, iceUrls };
    const none = { stunUrls: [], turnUrls: [], relayOnly: false };
    assert.deepEqual(iceServers(none, login), [
      { urls: ["stun:c"] },
      { urls: ["turn:d", "TURNS:e"], username: "1:me", credential: "secret" },
    ]);
    assert.deepEqual(iceServers({ ...none, stunUrls: ["stun:a"] }, login), [{ urls: ["stun:a"] }]);
  });
});

describe("WebRTC: descriptions and their exchange ids", () => {
  /** A node that has been offered a connection by hand, under `exchangeId`. */
  async function offered(exchangeId: string | undefined, requireExchangeId = true) {
    const world = new WebRtcWorld();
    const node = await world.node(200, { requireExchangeId });
    const peer = { ...node.id, serial: 7n };
    const id = exchangeId === undefined ? {} : { sdpExchangeId: exchangeId };
    world.server.join(peer);
    const early = { candidate, sdpMlineIndex: 0, usernameFragment: "c9g1" };
    node.signaling.receive(peer, node.id, payloadOf({ case: "iceCandidate", value: early }));
    node.signaling.receive(
      peer,
      node.id,
      payloadOf({
        case: "sessionDescription",
        value: { type: types.OFFER, sdp: sdpOf("c9g1"), ...id },
      }),
    );
    await world.clock.settle();
    return { world, node };
  }

  function answerIn(relays: readonly FakeRelay[]): unknown {
    const [relay] = relays;
    const signal = relay && readSignal(relay.payload);
    return signal?.kind === "answer" ? [relay?.to.serial, signal.exchangeId] : undefined;
  }

  it("answers under the id of the offer, also an empty one, with the candidates that came before", async () => {
    for (const id of ["x-1", ""]) {
      const { world, node } = await offered(id);
      assert.deepEqual(answerIn(world.server.sent("answer")), [7n, id]);
      assert.deepEqual(
        node.stack.last.added.map(({ usernameFragment }) => usernameFragment),
        ["c9g1"],
      );
    }
  });

  it("leaves an offer without id alone, unless told otherwise", async () => {
    const { world, node } = await offered(undefined);
    assert.deepEqual([world.server.sent("answer").length, node.stack.made.length], [0, 0]);
    const lenient = await offered(undefined, false);
    assert.deepEqual(answerIn(lenient.world.server.sent("answer")), [7n, undefined]);
  });

  it("waits on when an answer has another id, or none", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    world.server.delay = ({ kind }) => (kind === "answer" ? 1_000 : 0);
    const dial = one.dial(other);
    await world.clock.settle();
    for (const sdpExchangeId of ["stale", ""]) {
      const value = { type: types.ANSWER, sdp: sdpOf("wrong"), sdpExchangeId };
      one.signaling.receive(other.id, one.id, payloadOf({ case: "sessionDescription", value }));
    }
    await world.clock.advance(1_000);
    assert.ok(dial.result !== undefined, String(dial.error));
    assert.equal(one.stack.last.remotes.includes("wrong"), false);
  });

  it("answers offers one after the other, in their order, also when the first takes long", async () => {
    const world = new WebRtcWorld();
    const node = await world.node(200);
    const peer = { ...node.id, serial: 7n };
    world.server.join(peer);
    const { promise, resolve } = withResolvers<void>();
    world.paths.slowness = promise;
    const offer = (sdpExchangeId: string, type: 0 | 2 | 3): void => {
      const value = { type, sdp: sdpOf(sdpExchangeId), sdpExchangeId };
      node.signaling.receive(peer, node.id, payloadOf({ case: "sessionDescription", value }));
    };
    offer("first", types.OFFER);
    await world.clock.settle();
    world.paths.slowness = Promise.resolve();
    offer("second", types.RENEGOTIATION_OFFER);
    offer("third", types.ICE_RESTART_OFFER);
    await world.clock.settle();
    assert.equal(world.server.sent("answer").length, 0);
    resolve();
    await world.clock.settle();
    assert.deepEqual(node.stack.last.remotes, ["first", "second", "third"]);
    assert.deepEqual(
      world.server.sent("answer").map((each) => answerIn([each])),
      ["first", "second", "third"].map((id) => [7n, id]),
    );
  });

  it("ends a connection whose offer cannot be used", async () => {
    const world = new WebRtcWorld();
    const node = await world.node(200);
    const peer = { ...node.id, serial: 7n };
    const value = { type: types.OFFER, sdp: "nonsense", sdpExchangeId: "x" };
    node.signaling.receive(peer, node.id, payloadOf({ case: "sessionDescription", value }));
    await world.clock.settle();
    assert.equal(node.stack.last.state, "closed");
    assert.equal(node.transport.connections, 0);
    assert.equal(world.clock.pending, 0);
  });

  it("refuses peers beyond its limit of connections", async () => {
    const world = new WebRtcWorld();
    const node = await world.node(200, { maxConnections: 1 });
    const [first, second] = [await world.node(100), await world.node(101)];
    const dials = [first.dial(node), second.dial(node)];
    await world.clock.advance(11_000);
    assert.ok(dials[0]?.result !== undefined);
    assert.equal(dials[1]?.result, undefined);
    await assert.rejects(node.dial(await world.node(102)).link, { code: "overloaded" });
  });

  it("hears nobody who speaks for others, and not itself", async () => {
    const world = new WebRtcWorld();
    const node = await world.node(200);
    const peer = { ...node.id, serial: 7n };
    const value = { type: types.OFFER, sdp: sdpOf("a"), sdpExchangeId: "x" };
    const offer = payloadOf({ case: "sessionDescription", value });
    node.signaling.receive(node.id, peer, offer);
    node.signaling.receive(node.id, node.id, offer);
    node.signaling.receive(peer, { ...peer, serial: 8n }, offer);
    await world.clock.settle();
    assert.equal(node.stack.made.length, 0);
  });
});
