import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import type { ActrId } from "../../../src/protocol/ids.ts";
import { encodeSignaling } from "../../../src/protocol/signaling.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { Bench, type Joined } from "./bench.ts";

describe("SignalingServer", () => {
  it("drops a socket that leaves pings unanswered, and no other", async () => {
    const bench = await Bench.open();
    const [alive, dead, blind] = [await bench.join(1), await bench.join(2), await bench.join(3)];
    dead.socket.answersPings = false;
    blind.socket.canPing = false;
    await bench.clock.advance(15_000);
    assert.equal(dead.socket.terminated, false);
    await bench.clock.advance(30_000);
    assert.equal(dead.socket.terminated, true);
    assert.equal(alive.socket.terminated, false);
    assert.equal(blind.socket.terminated, false);
    assert.equal(bench.server.connections, 2);
    assert.equal(bench.server.nodes, 2);
  });

  it("answers pings at once while the credential is the same", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    node.ping("a");
    node.ping("b");
    assert.deepEqual(node.answers, ["a pong", "b pong"]);
  });

  it("checks a new credential first and keeps the order of messages", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    const renewed = await bench.credential(node.id, 7200);
    node.ping("a", renewed);
    node.ping("b");
    node.ping("c", renewed);
    assert.deepEqual(node.answers, []);
    await settledUntil(bench.clock, "all three are answered", () => node.answers.length === 3);
    assert.deepEqual(node.answers, ["a pong", "b pong", "c pong"]);
  });

  it("answers 401 once the credential has expired, and warns before", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    const warned = (): boolean => {
      const flow = node.socket.sent.at(-1)?.flow;
      assert.equal(flow?.case, "serverToActr");
      assert.equal(flow.value.payload.case, "pong");
      return flow.value.payload.value.credentialWarning !== undefined;
    };
    node.ping("fresh");
    assert.equal(warned(), false);
    await bench.clock.advance(2_400_000);
    node.ping("old");
    assert.equal(warned(), true);
    await bench.clock.advance(1_200_000);
    node.ping("expired");
    assert.equal(node.answers.at(-1), "expired error 401");
  });

  it("ends a connection that sends without end while a credential is checked", async () => {
    const bench = await Bench.open({ limits: { maxPendingMessages: 2 } });
    const node = await bench.join(1);
    const renewed = await bench.credential(node.id, 7200);
    for (const envelopeId of ["a", "b", "c", "d"]) node.ping(envelopeId, renewed);
    assert.equal(node.socket.closedWith?.code, 1008);
  });

  it("lets others have their turn while one sends many at once, whose order it keeps", async () => {
    const bench = await Bench.open();
    const [busy, other] = [await bench.join(1), await bench.join(2)];
    const asked = Array.from({ length: 40 }, (_, at) => `${at}`);
    for (const envelopeId of asked) busy.ping(envelopeId);
    assert.equal(busy.answers.length, 16);
    other.ping("a");
    assert.deepEqual(other.answers, ["a pong"]);
    await bench.clock.settle();
    assert.deepEqual(
      busy.answers,
      asked.map((envelopeId) => `${envelopeId} pong`),
    );
  });

  it("drops a node that does not read, and tells who relays to it", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2)];
    from.relay(to.id, "a");
    assert.equal(to.socket.sent.length, 1);
    to.socket.bufferedAmount = 5 * 1024 * 1024;
    from.relay(to.id, "b");
    assert.deepEqual(from.answers, ["b error 503"]);
    assert.equal(to.socket.terminated, true);
    assert.equal(bench.server.nodes, 1);
  });

  it("passes a relay on that lacks a required field", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2)];
    from.socket.handler?.message(withoutCandidate(from, to.id));
    assert.deepEqual(from.answers, []);
    assert.equal(to.socket.sent.length, 1);
  });

  it("ignores what only a server may say", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    node.deliver({
      envelopeId: "a",
      flow: { case: "envelopeError", value: { code: 1, message: "" } },
    });
    node.deliver({ envelopeId: "b", flow: { case: undefined } });
    assert.deepEqual(node.answers, []);
  });

  it("forgets subscriptions of a connection that ends while its credential is checked", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    const credential = await bench.credential(node.id, 7200);
    const targetType = node.id.type;
    const payload = { case: "subscribeActrUpRequest", value: { targetType } } as const;
    const value = { source: toActrIdMessage(node.id), credential, payload };
    node.deliver({ envelopeId: "a", flow: { case: "actrToServer", value } });
    node.socket.terminate();
    await settledUntil(bench.clock, "it is answered", () => node.answers.length === 1);
    assert.deepEqual(node.answers, ["a error 403"]);
    await bench.join(2);
    assert.equal(node.socket.sent.length, 1);
  });

  it("stops its timer and ends every connection with 1001", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    bench.server.close();
    bench.server.close();
    assert.equal(node.socket.closedWith?.code, 1001);
    assert.equal(bench.clock.pending, 0);
    assert.equal(bench.server.refusal("10.0.0.1")?.code, 503);
  });
});

/** An ice_candidate relay whose candidate is empty of its required text, as encoded by hand. */
function withoutCandidate(from: Joined, to: ActrId): Uint8Array {
  const source = toActrIdMessage(from.id);
  const target = toActrIdMessage(to);
  const payload = { case: "iceCandidate", value: { candidate: "x" } } as const;
  const value = { source, target, credential: from.credential, payload };
  const whole = encodeSignaling({ envelopeId: "bad", flow: { case: "actrRelay", value } });
  // The last three bytes are the candidate's field; the two before them are the tag and length of its message.
  const cut = whole.slice(0, -3);
  cut[cut.length - 1] = 0;
  return shortened(cut, 3);
}

/** Takes `by` bytes off the length of the relay, a two-byte varint behind the flow's tag. */
function shortened(bytes: Uint8Array, by: number): Uint8Array {
  const at = bytes.findIndex((byte, index) => byte === 0x6a && bytes[index - 1] === 0x64) + 1;
  const length = ((bytes[at] as number) & 0x7f) + ((bytes[at + 1] as number) << 7) - by;
  bytes[at] = (length & 0x7f) | 0x80;
  bytes[at + 1] = length >> 7;
  return bytes;
}
