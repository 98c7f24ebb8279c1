import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, type ErrorCode } from "../../../src/errors.ts";
import { toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { RouteCandidatesRequest_NodeSelectionCriteria_NodeRankingFactor as Factor } from "../../../src/protocol/schema.ts";
import { encodeSignaling } from "../../../src/protocol/signaling.ts";
import { reportLoad } from "../../../src/signaling/node_load.ts";
import type { Relay } from "../../../src/signaling/signaling_listeners.ts";
import { issued, never } from "../identity/support.ts";
import { connected, setUp } from "./support.ts";

const options = { signal: never };
const type = { manufacturer: "acme", name: "Echo", version: "1.0.0" };
const other = { ...type, name: "Other" };
const me = issued(1n, 0).id;
const peer = issued(2n, 0).id;
const wirePeer = toActrIdMessage(peer);

const coded = (code: ErrorCode, wire?: number) => (error: unknown) => {
  assert.ok(ActrError.is(error), String(error));
  assert.equal(error.code, code);
  if (wire !== undefined) assert.equal(error.details?.["code"], wire);
  return true;
};

describe("signaling requests", () => {
  it("matches answers by reply_for, in any order, and numbers its envelopes", async () => {
    const { client, socket, clock } = await connected();
    const first = client.getSigningKey(1, options);
    const second = client.getSigningKey(2, options);
    assert.deepEqual(
      socket.sent.map(({ envelopeId, envelopeVersion }) => [envelopeId, envelopeVersion]),
      [
        ["env-1", 2],
        ["env-2", 2],
      ],
    );
    const key = (keyId: number) =>
      ({
        case: "getSigningKeyResponse",
        value: { keyId, pubkey: new Uint8Array(32).fill(keyId) },
      }) as const;
    socket.answerTo("env-2", key(2));
    socket.answerTo("env-1", key(1));
    assert.deepEqual(await first, new Uint8Array(32).fill(1));
    assert.deepEqual(await second, new Uint8Array(32).fill(2));
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("sends who asks, with the credential of the moment, and a trace if there is one", async () => {
    const { client, socket, session } = await connected();
    const trace = { traceparent: "00-1-2-01", tracestate: "a=b" };
    client.ping(reportLoad({ backlog: 0.6 }), { ...options, trace }).catch(() => {});
    const sent = socket.sent[0];
    assert.ok(sent?.flow.case === "actrToServer");
    assert.deepEqual([sent.traceparent, sent.tracestate], ["00-1-2-01", "a=b"]);
    assert.equal(sent.flow.value.source?.serialNumber, 1n);
    assert.deepEqual(sent.flow.value.credential?.claims, session.current.credential.claims);
    assert.ok(sent.flow.value.payload.case === "ping");
    const { availability, powerReserve, mailboxBacklog } = sent.flow.value.payload.value;
    assert.deepEqual([availability, powerReserve], [1, 5]);
    assert.ok(Math.abs(mailboxBacklog - 0.6) < 1e-6);
    await client.close();
  });

  it("[T-86] a request without an answer fails after 5 s", async () => {
    const { client, clock } = await connected();
    let failedAt = 0;
    const start = clock.now();
    const waiting = client.getSigningKey(1, options).catch((error: unknown) => {
      failedAt = clock.now() - start;
      return error;
    });
    await clock.advance(7_000);
    assert.ok(coded("timed_out")(await waiting));
    assert.equal(failedAt, 5_000);
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("[T-86] a loss of the connection fails what waits at once", async () => {
    const { client, clock, socket } = await connected();
    const start = clock.now();
    const waiting = assert.rejects(client.getSigningKey(1, options), coded("unavailable"));
    socket.drop(1006);
    await waiting;
    assert.equal(clock.now(), start);
    await assert.rejects(client.getSigningKey(1, options), coded("unavailable"), "not connected");
    await client.close();
    await assert.rejects(client.getSigningKey(1, options), coded("stopping"));
  });

  it("[N-83] a question for candidates without an answer ends after 5 s, on a disconnect at once", async () => {
    const { client, clock, socket } = await connected();
    const start = clock.now();
    let failedAt = 0;
    const waiting = client.routeCandidates(peer.type, 1, options).catch((error: unknown) => {
      failedAt = clock.now() - start;
      return error;
    });
    await clock.advance(7_000);
    assert.ok(coded("timed_out")(await waiting));
    assert.equal(failedAt, 5_000);
    const cut = assert.rejects(client.routeCandidates(peer.type, 1, options), coded("unavailable"));
    socket.drop(1006);
    await cut;
    assert.equal(clock.now(), start + 7_000);
    await client.close();
  });

  it("asks for candidates in the server's order, or for those of its own description first", async () => {
    const { client, socket } = await connected();
    const asked = (fingerprint?: string) => {
      client
        .routeCandidates(other, 2, { ...options, ...(fingerprint && { fingerprint }) })
        .catch(() => {});
      const request = socket.requests.at(-1);
      assert.ok(request?.case === "routeCandidatesRequest");
      return request.value;
    };
    const plain = asked();
    assert.deepEqual([plain.clientFingerprint, plain.criteria?.rankingFactors], ["", []]);
    assert.equal(plain.criteria?.candidateCount, 2);
    const locked = asked("service_semantic:00");
    assert.equal(locked.clientFingerprint, "service_semantic:00");
    assert.deepEqual(locked.criteria?.rankingFactors, [Factor.EXACT_MATCH_FIRST]);
    await client.close();
  });

  it("does not find itself where a server lists the one who asks", async () => {
    const { client, socket } = await connected();
    const finding = client.routeCandidates(me.type, 1, options);
    const request = socket.requests.at(-1);
    assert.ok(request?.case === "routeCandidatesRequest");
    assert.equal(request.value.criteria?.candidateCount, 2);
    const candidates = [toActrIdMessage(me), wirePeer];
    const value = { result: { case: "success", value: { candidates } } } as const;
    socket.answer({ case: "routeCandidatesResponse", value });
    assert.deepEqual(await finding, [{ id: peer }]);
    await client.close();
  });

  it("fails what waits with stopping when closed, and lets a caller leave", async () => {
    const { client, clock } = await connected();
    const leaving = new AbortController();
    const left = assert.rejects(client.getSigningKey(1, { signal: leaving.signal }), /left/);
    leaving.abort(new Error("left"));
    await left;
    const waiting = assert.rejects(client.getSigningKey(2, options), coded("stopping"));
    await client.close();
    await waiting;
    assert.equal(clock.pending, 0);
  });

  it("bounds what waits and what is buffered", async () => {
    const { client, socket } = await connected({ maxPending: 2, maxBufferedBytes: 10 });
    client.getSigningKey(1, options).catch(() => {});
    client.getSigningKey(2, options).catch(() => {});
    await assert.rejects(client.getSigningKey(3, options), coded("overloaded"));
    assert.equal(socket.sent.length, 2);
    socket.bufferedAmount = 11;
    assert.throws(
      () => client.sendRelay(peer, { case: "iceRestartRequest", value: restart }),
      coded("overloaded"),
    );
    await client.close();
  });

  it("types the server's errors, and tells of a 401", async () => {
    const cases: [number, ErrorCode][] = [
      [401, "unavailable"],
      [403, "permission_denied"],
      [404, "not_found"],
      [429, "unavailable"],
      [500, "unavailable"],
    ];
    const { client, socket, credentials, session } = await connected();
    for (const [wire, code] of cases) {
      const asked = assert.rejects(client.getSigningKey(1, options), coded(code, wire));
      socket.answer({ case: "error", value: { code: wire, message: "no" } });
      await asked;
    }
    assert.deepEqual(credentials.refusals, [session.current]);
    const inside = assert.rejects(
      client.routeCandidates(type, 1, options),
      coded("not_found", 404),
    );
    const result = { case: "error", value: { code: 404, message: "no" } } as const;
    socket.answer({ case: "routeCandidatesResponse", value: { result } });
    await inside;
    const wrong = assert.rejects(client.getSigningKey(1, options), coded("decode_failure"));
    socket.answer({ case: "pong", value: { seq: 1n } });
    await wrong;
    const empty = assert.rejects(client.getServiceSpec("x", options), coded("decode_failure"));
    socket.answer({ case: "getServiceSpecResponse", value: {} });
    await empty;
    await client.close();
  });

  it("refuses a signing key for another id or of another length", async () => {
    const { client, socket } = await connected();
    for (const value of [
      { keyId: 2, pubkey: new Uint8Array(32) },
      { keyId: 1, pubkey: new Uint8Array(31) },
    ]) {
      const asked = assert.rejects(client.getSigningKey(1, options), coded("decode_failure"));
      socket.answer({ case: "getSigningKeyResponse", value });
      await asked;
    }
    await client.close();
  });

  it("finds candidates with their usable addresses, as many as were asked for", async () => {
    const { client, socket } = await connected();
    const others = [2n, 3n, 4n, 5n].map((serial) => issued(serial, 0).id);
    const asked = client.routeCandidates(other, 3, { ...options, fingerprint: "f" });
    const request = socket.requests[0];
    assert.ok(request?.case === "routeCandidatesRequest");
    assert.equal(request.value.criteria?.candidateCount, 3);
    assert.equal(request.value.clientFingerprint, "f");
    const addresses = ["ws://10.0.0.1:1/ws", "http://no", ""];
    const value = {
      candidates: others.map(toActrIdMessage),
      wsAddressMap: addresses.map((wsAddress, index) => ({
        candidateId: toActrIdMessage(others[index] ?? peer),
        wsAddress,
      })),
    };
    const result = { case: "success", value } as const;
    socket.answer({ case: "routeCandidatesResponse", value: { result } });
    assert.deepEqual(await asked, [
      { id: others[0], wsAddress: "ws://10.0.0.1:1/ws" },
      { id: others[1] },
      { id: others[2] },
    ]);
    await client.close();
  });

  it("lists types, describes services and unregisters", async () => {
    const { client, socket } = await connected();
    const types = client.discover("acme", 9, options);
    const entry = { actrType: type, name: "acme:Echo", serviceFingerprint: "f", tags: ["t"] };
    const listed = { case: "success" as const, value: { entries: [entry] } };
    socket.answer({ case: "discoveryResponse", value: { result: listed } });
    assert.deepEqual(await types, [{ type, name: "acme:Echo", fingerprint: "f", tags: ["t"] }]);
    const spec = client.getServiceSpec("Echo", options);
    const file = { package: "echo", content: "c", fingerprint: "g" };
    const value = { name: "Echo", fingerprint: "f", protobufs: [file], publishedAt: 7n };
    const described = { case: "success", value } as const;
    socket.answer({ case: "getServiceSpecResponse", value: { result: described } });
    assert.deepEqual(await spec, {
      name: "Echo",
      fingerprint: "f",
      files: [{ name: "echo.proto", content: "c", fingerprint: "g" }],
      publishedAt: 7,
      tags: [],
    });
    const gone = client.unregister("Graceful shutdown", options);
    const request = socket.requests.at(-1);
    assert.ok(request?.case === "unregisterRequest");
    assert.equal(request.value.reason, "Graceful shutdown");
    socket.answer({
      case: "unregisterResponse",
      value: { result: { case: "success", value: {} } },
    });
    await gone;
    await client.close();
  });

  it("subscribes again at the next connection, and tells who came up", async () => {
    const { client, socket, events, accept, clock } = await connected();
    const granted = {
      case: "subscribeActrUpResponse",
      value: { result: { case: "success", value: {} } },
    } as const;
    const subscribed = client.subscribe(type, options);
    socket.answer(granted);
    await subscribed;
    socket.push({ case: "actrUpEvent", value: { actorId: wirePeer } });
    assert.equal(events.at(-1), "up 2");
    await clock.advance(5_000);
    socket.drop(1006);
    await clock.settle();
    const next = await accept();
    assert.deepEqual(
      next.requests.map((request) => request.case),
      ["subscribeActrUpRequest"],
    );
    next.answer(granted);
    const unsubscribed = client.unsubscribe(type, options);
    next.answer({
      case: "unsubscribeActrUpResponse",
      value: { result: { case: "success", value: {} } },
    });
    await unsubscribed;
    await clock.advance(5_000);
    next.drop(1006);
    await clock.settle();
    const last = await accept();
    assert.equal(last.sent.length, 0);
    await client.close();
    assert.equal(clock.pending, 0);
  });
});

const restart = { reason: "" };

describe("signaling relays and pushes", () => {
  it("sends a relay under a UUID with source, credential and target", async () => {
    const { client, socket, session } = await connected();
    client.sendRelay(peer, { case: "iceRestartRequest", value: restart }, { traceparent: "t" });
    const sent = socket.sent[0];
    assert.ok(sent?.flow.case === "actrRelay");
    assert.match(sent.envelopeId, /^[0-9a-f-]{36}$/);
    assert.equal(sent.traceparent, "t");
    assert.equal(sent.flow.value.source?.serialNumber, 1n);
    assert.equal(sent.flow.value.target?.serialNumber, 2n);
    assert.deepEqual(sent.flow.value.credential?.claims, session.current.credential.claims);
    await client.close();
  });

  it("hands over relays of others, whatever the version and credential", async () => {
    const { client, socket } = await connected();
    const relays: Relay[] = [];
    client.listen({ relay: (relay) => relays.push(relay) });
    const value = {
      source: wirePeer,
      credential: { keyId: 0, claims: new Uint8Array(), signature: new Uint8Array() },
      target: toActrIdMessage(me),
      payload: { case: "roleAssignment", value: { isOfferer: true } },
    } as const;
    socket.receive(encodeSignaling({ envelopeId: "x", flow: { case: "actrRelay", value } }));
    assert.deepEqual(
      relays.map(({ source, target, payload, trace }) => [source, target, payload.case, trace]),
      [[peer, me, "roleAssignment", {}]],
    );
    await client.close();
  });

  it("gives what it receives of somebody's trace a span, and hands the trace on", async () => {
    const { client, socket, tracer } = await connected();
    const relays: Relay[] = [];
    client.listen({ relay: (relay) => relays.push(relay) });
    const value = {
      source: wirePeer,
      credential: { keyId: 0, claims: new Uint8Array(), signature: new Uint8Array() },
      target: toActrIdMessage(me),
      payload: { case: "iceRestartRequest", value: restart },
    } as const;
    const flow = { case: "actrRelay", value } as const;
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    socket.receive(encodeSignaling({ envelopeId: "traced", traceparent, flow }));
    socket.receive(encodeSignaling({ envelopeId: "untraced", flow }));
    assert.deepEqual(
      tracer.spans.map(({ name, parentSpanId, attributes }) => [name, parentSpanId, attributes]),
      [["signaling.receive_envelope", "b7ad6b7169203331", { envelope_id: "traced" }]],
    );
    assert.deepEqual(
      relays.map(({ trace }) => trace),
      [{ traceparent }, {}],
    );
    await client.close();
  });

  it("tells of a relay that the server did not pass on, by the id under which it was sent", async () => {
    const { client, socket } = await connected();
    const refused: [string, string][] = [];
    client.listen({ relayRefused: (id, { code }) => refused.push([id, code]) });
    const id = client.sendRelay(peer, { case: "iceRestartRequest", value: restart });
    const message = "Relay target is not connected";
    socket.answerTo(id, { case: "error", value: { code: 404, message } });
    assert.deepEqual(refused, [[id, "not_found"]]);
    await client.close();
  });

  it("ignores junk, answers that nobody waits for, and errors without a request", async () => {
    const { client, socket, log } = await connected();
    socket.receive(Uint8Array.of(0xff, 1, 2));
    socket.answerTo("env-99", { case: "pong", value: { seq: 1n } });
    const value = { code: 500, message: "something" };
    socket.receive(encodeSignaling({ envelopeId: "e", flow: { case: "envelopeError", value } }));
    assert.deepEqual(log.levels("signaling.message.ignored"), ["warn"]);
    assert.deepEqual(log.levels("signaling.message.unexpected"), ["debug", "debug"]);
    assert.equal(client.connected, true);
    await client.close();
  });

  it("survives a listener that throws, and stops telling one that left", async () => {
    const { client, socket, log, events, clock } = await connected();
    const seen: string[] = [];
    client.listen({
      disconnected: () => {
        throw new Error("broken");
      },
    });
    const stop = client.listen({ disconnected: () => seen.push("gone") });
    stop();
    socket.drop(1006);
    await clock.settle();
    assert.equal(events.at(-1), "disconnected closed with 1006");
    assert.deepEqual(seen, []);
    assert.deepEqual(log.levels("signaling.listener.failed"), ["error"]);
    await client.close();
  });

  it("logs no credential", async () => {
    const { client, log, session } = await setUpWithSecret();
    const text = JSON.stringify(log.records, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value instanceof Error ? value.message : value,
    );
    assert.ok(log.records.length > 0);
    assert.ok(!text.includes(encodeURIComponent(btoa("top-secret-claims"))));
    assert.ok(!text.includes(btoa("top-secret-claims")));
    assert.equal(session.phase, "active");
    await client.close();
  });
});

/** A client that has failed and succeeded with a recognisable credential. */
async function setUpWithSecret() {
  const parts = setUp();
  const identity = issued(1n, parts.clock.now());
  const claims = new TextEncoder().encode("top-secret-claims");
  parts.session.update({ ...identity, credential: { ...identity.credential, claims } });
  parts.client.connect({ signal: never }).catch(() => {});
  await parts.refuse(new ActrError("permission_denied", "401", { details: { status: 401 } }));
  await parts.clock.advance(1_300);
  const socket = await parts.accept();
  socket.receive(Uint8Array.of(0xff));
  return parts;
}
