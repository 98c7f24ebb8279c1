import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromActrIdMessage, toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { formatActrId, parseActrType } from "../../../src/protocol/ids.ts";
import {
  type ActrToSignalingSchema,
  create,
  type MessageInit,
  SignalingEnvelopeSchema,
} from "../../../src/protocol/schema.ts";
import { Bench, type Joined } from "./bench.ts";

type Request = NonNullable<MessageInit<typeof ActrToSignalingSchema>["payload"]>;

const targetType = parseActrType("acme:echo:1.0.0");
const ping = {
  case: "ping",
  value: { availability: 3, powerReserve: 0.2, mailboxBacklog: 0 },
} as const;

// Section 7.3: what a node sends, and what answers it.
const flows: readonly [name: string, request: (node: Joined) => Request, answer: string][] = [
  ["ping", () => ping, "pong"],
  [
    "unregisterRequest",
    ({ id }) => ({ case: "unregisterRequest", value: { actrId: toActrIdMessage(id) } }),
    "unregisterResponse",
  ],
  ["discoveryRequest", () => ({ case: "discoveryRequest", value: {} }), "discoveryResponse"],
  [
    "routeCandidatesRequest",
    () => ({ case: "routeCandidatesRequest", value: { targetType, clientFingerprint: "" } }),
    "routeCandidatesResponse",
  ],
  [
    "getServiceSpecRequest",
    () => ({ case: "getServiceSpecRequest", value: { name: "Echo" } }),
    "getServiceSpecResponse",
  ],
  [
    "getSigningKeyRequest",
    () => ({ case: "getSigningKeyRequest", value: { keyId: 1 } }),
    "getSigningKeyResponse",
  ],
  [
    "getSigningKeyRequest",
    () => ({ case: "getSigningKeyRequest", value: { keyId: 9 } }),
    "error 404",
  ],
  [
    "subscribeActrUpRequest",
    () => ({ case: "subscribeActrUpRequest", value: { targetType } }),
    "subscribeActrUpResponse",
  ],
  [
    "unsubscribeActrUpRequest",
    () => ({ case: "unsubscribeActrUpRequest", value: { targetType } }),
    "unsubscribeActrUpResponse",
  ],
];

describe("a request over signaling", () => {
  for (const [name, request, expected] of flows) {
    it(`gets ${expected} in answer to ${name}`, async () => {
      const bench = await Bench.open();
      const node = await bench.join(1);
      const envelopeId = node.request(request(node));
      assert.deepEqual(node.answers, [`${envelopeId} ${expected}`]);
      const flow = node.socket.sent[0]?.flow;
      assert.equal(flow?.case, "serverToActr");
      assert.deepEqual(fromActrIdMessage(flow.value.target), node.id);
    });
  }

  it("is not answered when it is an error", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    node.request({ case: "error", value: { code: 500, message: "oh" } });
    assert.deepEqual(node.answers, []);
  });

  it("of an unknown kind is answered with 400", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    const envelopeId = node.request({ case: undefined });
    assert.deepEqual(node.answers, [`${envelopeId} error 400`]);
  });

  it("that names another node as its source gets 401, and does nothing", async () => {
    const bench = await Bench.open();
    const [node, other] = [await bench.join(1), await bench.join(2)];
    const value = { actrId: toActrIdMessage(other.id) };
    const id = node.request({ case: "unregisterRequest", value }, { source: other.id });
    assert.deepEqual(node.answers, [`${id} error 401`]);
    assert.equal(bench.server.nodes, 2);
  });

  it("to unregister another node is refused with 403", async () => {
    const bench = await Bench.open();
    const [node, other] = [await bench.join(1), await bench.join(2)];
    const value = { actrId: toActrIdMessage(other.id) };
    const { case: kind, value: answer } = node.ask({ case: "unregisterRequest", value });
    assert.equal(kind, "unregisterResponse");
    assert.equal(answer.result.case, "error");
    assert.equal(answer.result.value.code, 403);
    assert.equal(bench.server.nodes, 2);
  });

  it("from a realm that is not there gets 403", async () => {
    const bench = await Bench.open({ realms: [{ id: 7 }] });
    const node = await bench.join(1);
    node.ping("a");
    assert.deepEqual(node.answers, ["a error 403"]);
  });

  it("after unregistering gets 403, and the node stays out of sight", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    node.ask({ case: "unregisterRequest", value: { actrId: toActrIdMessage(node.id) } });
    assert.equal(bench.server.nodes, 0);
    assert.equal(bench.server.connections, 1);
    node.ping("late");
    assert.equal(node.answers.at(-1), "late error 403");
  });
});

describe("a message over the limit", () => {
  it("is answered with 429, until a second has refilled the bucket", async () => {
    const bench = await Bench.open({ limits: { messageBurst: 2, messagesPerSecond: 1 } });
    const node = await bench.join(1);
    for (const envelopeId of ["a", "b", "c"]) node.ping(envelopeId);
    assert.deepEqual(node.answers, ["a pong", "b pong", "c envelopeError"]);
    await bench.clock.advance(1_000);
    node.ping("d");
    assert.equal(node.answers.at(-1), "d pong");
  });

  it("ends the connection with 1008 when refusals do not slow it down", async () => {
    const bench = await Bench.open({ limits: { messageBurst: 2, messagesPerSecond: 1 } });
    const node = await bench.join(1);
    for (const envelopeId of ["a", "b", "c", "d"]) node.ping(envelopeId);
    assert.equal(node.socket.closedWith, undefined);
    node.ping("e");
    assert.deepEqual(node.socket.closedWith, { code: 1008, reason: "too many messages" });
    assert.equal(node.answers.length, 4);
    assert.equal(bench.server.nodes, 0);
  });
});

describe("a connection", () => {
  it("that sends junk is out of sight before it is gone", async () => {
    const bench = await Bench.open();
    const [node, other] = [await bench.join(1), await bench.join(2)];
    node.socket.handler?.message(Uint8Array.of(0xff, 0xff));
    assert.equal(node.socket.closedWith?.code, 1007);
    other.relay(node.id, "a");
    assert.deepEqual(other.answers, ["a error 404"]);
    assert.deepEqual(node.answers, []);
  });

  it("ends with 1008 when its node comes again, and takes nothing from the newer one", async () => {
    const bench = await Bench.open();
    const [older, newer] = [await bench.join(1), await bench.join(1)];
    assert.deepEqual(older.socket.closedWith, {
      code: 1008,
      reason: "displaced by new connection",
    });
    older.ping("late");
    older.socket.terminate();
    assert.deepEqual(older.answers, []);
    newer.ping("a");
    assert.deepEqual(newer.answers, ["a pong"]);
    assert.equal(bench.server.nodes, 1);
  });
});

describe("registration over signaling", () => {
  it("is answered with 410, to the id that stands for nobody", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    node.deliver({ envelopeId: "a", flow: { case: "peerToServer", value: {} } });
    const { flow, replyFor } = node.socket.sent[0] ?? create(SignalingEnvelopeSchema);
    assert.equal(replyFor, "a");
    assert.equal(flow.case, "serverToActr");
    assert.equal(formatActrId(fromActrIdMessage(flow.value.target)), "0@0/temp:temp:1.0.0");
    assert.equal(flow.value.payload.case, "registerResponse");
    assert.equal(flow.value.payload.value.result.case, "error");
    assert.equal(flow.value.payload.value.result.value.code, 410);
  });
});
