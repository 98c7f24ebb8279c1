import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { directions, encodeEnvelope } from "../../../src/protocol/envelope.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import type { PendingCall } from "../../../src/session/pending_calls.ts";
import type { LogRecord } from "../identity/support.ts";
import { FakeLink, peerId } from "../session/support.ts";
import { gate, RemotePeer, type RigOptions, rig, route, ScriptedStore } from "./support.ts";

const caller = formatActrId(peerId(2));
const uuid = /^[0-9a-f]{8}-/;

/** A rig with one peer, and what the log holds of an event. */
async function world(options: RigOptions = {}) {
  const parts = await rig(options);
  const told = (event: string): LogRecord[] => parts.records.filter((each) => each.event === event);
  return { ...parts, parts, remote: new RemotePeer(parts), told };
}

/** The one record of an event: its level, and what it says of who, what and how grave. */
function only(records: readonly LogRecord[]): readonly [level: string, fields: object] {
  assert.equal(records.length, 1, JSON.stringify(records));
  const [record] = records;
  const { error: _error, reason: _reason, ...fields } = record?.attributes ?? {};
  return [record?.level ?? "", fields];
}

/** A response frame to nobody's request. */
function respond(remote: RemotePeer, requestId: string, whole: boolean): void {
  const body = encodeEnvelope({
    routeKey: "a.B.C",
    direction: directions.response,
    requestId,
    metadata: [],
    timeoutMs: 0,
    ...(whole ? { payload: new Uint8Array(0) } : {}),
  });
  remote.link.receive({ lane: lanes.rpcReliable, body });
}

describe("log events of the way of a request", () => {
  it("rpc.mailbox.enqueue and rpc.mailbox.dequeued tell of a volatile request", async () => {
    const { remote, told, clock, inbound } = await world({ open: false });
    await remote.send("x", { requestId: "r-1" });
    const named = { request_id: "r-1", route_key: route, caller };
    const [level, { bytes, ...fields }] = only(told("rpc.mailbox.enqueue")) as [string, Bytes];
    assert.deepEqual([level, fields], ["debug", { ...named, priority: 0 }]);
    assert.ok(bytes > 0);
    await clock.advance(250);
    inbound.open();
    await clock.settle();
    assert.deepEqual(only(told("rpc.mailbox.dequeued")), [
      "debug",
      { ...named, queue_wait_ms: 250 },
    ]);
  });

  it("a durable one has its message_id in both, and its wait counts over a restart", async () => {
    const store = new ScriptedStore();
    const { remote, told, clock } = await world({ store, open: false });
    await remote.send("x", { requestId: "r-1", durableSend: true });
    const [, put] = only(told("rpc.mailbox.enqueue")) as [string, { message_id: string }];
    assert.match(put.message_id, uuid);
    await clock.advance(1_000);
    const heir = await world({ store: store.reopen() as ScriptedStore });
    await heir.clock.settle();
    const [, got] = only(heir.told("rpc.mailbox.dequeued")) as [string, { message_id: string }];
    assert.equal(got.message_id, put.message_id);
  });

  it("none of the normal flow is made when nobody reads it", async () => {
    const { remote, records, inbound } = await world({ logLevel: "info" });
    await remote.send("x");
    assert.equal(inbound.handled, 1);
    assert.deepEqual(records, []);
  });

  it("rpc.orphan_response_dropped, rpc.malformed_response, rpc.invalid_direction_dropped", async () => {
    const { remote, told, clock, pending } = await world();
    respond(remote, "r-9", true);
    await clock.settle();
    assert.deepEqual(only(told("rpc.orphan_response_dropped")), [
      "warn",
      { peer: caller, request_id: "r-9", severity: 4, error_category: "orphan_response" },
    ]);
    pending.open(pendingCall("r-10"));
    respond(remote, "r-10", false);
    await remote.send("x", { requestId: "r-11", direction: directions.unspecified });
    assert.deepEqual(only(told("rpc.malformed_response")), [
      "warn",
      {
        peer: caller,
        request_id: "r-10",
        route_key: "a.B.C",
        severity: 7,
        error_category: "protocol_error",
      },
    ]);
    assert.deepEqual(only(told("rpc.invalid_direction_dropped")), [
      "warn",
      { peer: caller, request_id: "r-11", route_key: route },
    ]);
  });

  it("rpc.refused and rpc.tell_refused say acl_denied where access was denied", async () => {
    const { remote, told } = await world({ acl: [] });
    await remote.send("x", { requestId: "r-1" });
    await remote.tell("x", { requestId: "r-2" });
    const denied = { error_code: "permission_denied", severity: 5, error_category: "acl_denied" };
    const named = { route_key: route, caller };
    assert.deepEqual(only(told("rpc.refused")), [
      "warn",
      { request_id: "r-1", ...named, ...denied },
    ]);
    const [level, { message_id, ...fields }] = only(told("rpc.tell_refused")) as [string, Row];
    assert.match(message_id, uuid);
    assert.deepEqual(
      [level, fields],
      ["warn", { peer: caller, request_id: "r-2", ...named, ...denied }],
    );
  });

  it("node.error tells a handler's error from its crash", async () => {
    const fail: Record<string, unknown> = {
      error: new ActrError("invalid_argument", "no"),
      crash: new Error("bug"),
    };
    const { remote, told } = await world({
      handle: (text) => {
        throw fail[text];
      },
    });
    await remote.send("error", { requestId: "r-1" });
    await remote.send("crash", { requestId: "r-2" });
    const facts = (requestId: string) => ({ route_key: route, request_id: requestId, caller });
    assert.deepEqual(
      told("node.error").map((record) => only([record])),
      [
        [
          "error",
          {
            ...facts("r-1"),
            severity: 6,
            error_category: "handler_error",
            error_code: "invalid_argument",
          },
        ],
        [
          "error",
          { ...facts("r-2"), severity: 8, error_category: "handler_panic", error_code: "internal" },
        ],
      ],
    );
  });

  it("dead_letter.put is poison, and node.error says the same", async () => {
    const { remote, told, clock } = await world();
    remote.link.receive({ lane: lanes.rpcReliable, body: Uint8Array.of(255, 255, 255) });
    await clock.settle();
    const [level, fields] = only(told("dead_letter.put")) as [string, Record<string, unknown>];
    const { severity, error_category, category } = fields;
    assert.deepEqual(
      [level, severity, error_category, category],
      ["warn", 9, "protobuf_decode", "protobuf_decode"],
    );
    const [, error] = only(told("node.error")) as [string, Record<string, unknown>];
    assert.deepEqual(
      [error["severity"], error["error_category"], error["dead_letter"]],
      [9, "protobuf_decode", fields["dead_letter"]],
    );
  });

  it("dead_letter.write_failed is the gravest", async () => {
    const store = new ScriptedStore();
    const { remote, told, clock } = await world({ store });
    store.refuses = () => new ActrError("storage", "disk", { details: { fault: "statement" } });
    remote.link.receive({ lane: lanes.rpcReliable, body: Uint8Array.of(255, 255, 255) });
    await clock.settle();
    const [level, { dead_letter, ...fields }] = only(told("dead_letter.write_failed")) as [
      string,
      { dead_letter: string },
    ];
    assert.match(dead_letter, uuid);
    assert.deepEqual([level, fields], ["error", { severity: 10, lost: true }]);
  });

  it("rpc.mailbox.enqueue_failed and rpc.commit_failed are mailbox_error", async () => {
    const store = new ScriptedStore();
    const { remote, told, clock } = await world({ store, durable: true });
    const grave = { severity: 9, error_category: "mailbox_error" };
    store.refuses = () => new ActrError("storage", "disk");
    await remote.send("x", { requestId: "r-1" });
    await clock.settle();
    for (const event of ["rpc.mailbox.enqueue_failed", "rpc.commit_failed"]) {
      const [, { message_id, ...fields }] = only(told(event)) as [string, Row];
      assert.match(message_id, uuid);
      assert.deepEqual(fields, { request_id: "r-1", route_key: route, caller, ...grave }, event);
    }
  });

  it("rpc.reply_rerouted is told when an answer takes another link than its request", async () => {
    const door = gate();
    const { remote, told, clock, manager } = await world({
      handle: (text) => door.promise.then(() => text),
      conflictKey: { sender: true },
    });
    await remote.send("x", { requestId: "r-1" });
    const second = new FakeLink(remote.peer.id, "inbound");
    manager.accept(second);
    remote.link.end();
    await clock.settle();
    door.open();
    await clock.settle();
    const named = { request_id: "r-1", route_key: route, caller };
    assert.deepEqual(only(told("rpc.reply_rerouted")), [
      "warn",
      { ...named, severity: 5, error_category: "transport_error", transport: "fake" },
    ]);
    assert.equal(second.sent.length, 1);
  });

  it("rpc.reply_undeliverable is told when there is no link left", async () => {
    const door = gate();
    const { remote, told, clock } = await world({
      handle: (text) => door.promise.then(() => text),
    });
    await remote.send("x", { requestId: "r-1" });
    remote.link.end();
    await clock.settle();
    door.open();
    await clock.settle();
    assert.deepEqual(only(told("rpc.reply_undeliverable")), [
      "warn",
      {
        request_id: "r-1",
        route_key: route,
        caller,
        severity: 7,
        error_category: "transport_error",
      },
    ]);
  });

  it("session.read_failed is told of a link that cannot be read", async () => {
    const { parts, remote, told, clock } = await world();
    parts.onFrame = () => {
      throw new Error("bug");
    };
    remote.post("x");
    await clock.settle();
    assert.deepEqual(only(told("session.read_failed")), [
      "error",
      { peer: caller, transport: "fake", severity: 8, error_category: "transport_error" },
    ]);
  });
});

interface Bytes {
  readonly bytes: number;
}

interface Row {
  readonly message_id: string;
}

function pendingCall(requestId: string): PendingCall {
  return {
    requestId,
    peerKey: caller,
    link: undefined,
    answered() {},
    disconnected() {},
    fail() {},
  };
}
