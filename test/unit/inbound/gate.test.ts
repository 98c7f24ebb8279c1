import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { type Direction, directions, encodeEnvelope } from "../../../src/protocol/envelope.ts";
import { type Lane, lanes } from "../../../src/protocol/frame.ts";
import { encodeActrId } from "../../../src/protocol/ids.ts";
import { gate, RemotePeer, rig, route, ScriptedStore, selfId } from "./support.ts";

const unknownDirection = 9 as Direction;

describe("gate", () => {
  it("[N-38] answers a request with timeout 0", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    await remote.send("hi", { timeoutMs: 0 });
    await world.clock.advance(60_000);
    assert.deepEqual(remote.heard, ["Echo: hi"]);
  });

  it("[N-39] [N-40] [N-41] [ND-24] [T-64] handles requests and tells, each by its label alone, and drops every other direction", async () => {
    const world = await rig({
      handle(text) {
        if (text === "fail") throw new ActrError("not_found", "nothing here");
        return text;
      },
    });
    const remote = new RemotePeer(world);
    for (const direction of [directions.unspecified, unknownDirection, directions.response])
      await remote.send("no", { direction });
    assert.deepEqual(world.handled, []);
    assert.deepEqual(remote.heard, []);
    assert.equal(world.inbound.gate.dropped, 3);

    await remote.tell("told");
    await remote.tell("fail");
    assert.deepEqual(world.handled, ["told", "fail"]);
    assert.deepEqual(remote.heard, [], "a tell has no answer, whatever becomes of it");

    await remote.send("asked", { timeoutMs: 0 });
    assert.deepEqual(remote.heard, ["asked"], "timeout 0 does not make a request a tell");
    await remote.tell("long", { timeoutMs: 5_000 });
    assert.deepEqual(remote.heard, ["asked"], "a timeout does not make a tell a request");

    await remote.send("x", { routeKey: "acme.Nothing.Here" });
    await remote.send("fail");
    assert.deepEqual(remote.heard, ["asked", 10006, 10003]);
  });

  it("takes envelopes of 0.3 peers for what they must be, when told to understand them", async () => {
    const world = await rig({ options: { session: { compat: "0.3" } } });
    const remote = new RemotePeer(world);
    const { unspecified: direction } = directions;
    await remote.send("asked", { direction, timeoutMs: 30_000 });
    assert.deepEqual(remote.heard, ["Echo: asked"]);
    await remote.send("told", { direction, timeoutMs: 0 });
    assert.deepEqual(world.handled, ["asked", "told"]);
    assert.deepEqual(remote.heard, ["Echo: asked"]);
    assert.equal(world.inbound.gate.dropped, 0);
    const late = { code: 10_003, message: "late" };
    const facts = { requestId: "gone", metadata: [], timeoutMs: 30_000 };
    const body = encodeEnvelope({ ...facts, routeKey: route, direction, error: late });
    remote.link.receive({ lane: lanes.rpcReliable, body });
    await world.clock.settle();
    assert.equal(world.inbound.gate.dropped, 1);
    assert.deepEqual(world.handled, ["asked", "told"]);
    const unknown = { session: { compat: "0.2" as "0.3" } };
    await assert.rejects(rig({ options: unknown }), { code: "config", message: /compat is 0\.2/ });
  });

  it("drops frames of lanes that it does not serve, and says so", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    for (const lane of [lanes.streamReliable, lanes.streamLatencyFirst, lanes.media] as Lane[])
      await remote.send("no", { lane });
    assert.equal(world.inbound.gate.dropped, 3);
    assert.deepEqual(world.handled, []);
  });

  it("[T-65] gives requests of the signal lane high priority", async () => {
    const world = await rig({ open: false });
    const remote = new RemotePeer(world);
    await remote.send("normal");
    await remote.send("urgent", { lane: lanes.rpcSignal });
    assert.equal(world.inbound.mailbox.status().queuedHigh, 1);
    world.inbound.open();
    await world.clock.settle();
    assert.deepEqual(world.handled, ["urgent", "normal"]);
  });

  it("[T-65] drops an answer that nobody waits for, and says so", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    await remote.send("late", { direction: directions.response });
    assert.equal(world.inbound.gate.dropped, 1);
    assert.ok(world.records.some(({ event }) => event === "rpc.orphan_response_dropped"));
    assert.deepEqual([world.handled, remote.heard], [[], []]);
  });

  it("keeps undecodable bytes as a dead letter, with sender, category and source", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    const rawBytes = Uint8Array.of(255, 255, 255);
    remote.link.receive({ lane: lanes.rpcReliable, body: rawBytes });
    await world.clock.settle();
    const [letter] = await world.store.deadLetters(10);
    assert.deepEqual(letter?.rawBytes, rawBytes);
    assert.deepEqual(letter?.from, remote.peer.bytes);
    assert.deepEqual(letter?.to, encodeActrId(selfId));
    assert.equal(letter?.category, "protobuf_decode");
    assert.deepEqual(JSON.parse(letter?.context ?? ""), { source: "gate", priority: "normal" });
    assert.equal(world.inbound.deadLetters.count, 1);
    assert.equal(world.errors[0]?.category, "dead_letter");
    await remote.send("hi");
    assert.deepEqual(remote.heard, ["Echo: hi"], "the link goes on");
  });

  it("writes a bounded number of undecodable messages at once", async () => {
    const store = new ScriptedStore();
    const world = await rig({ store });
    const remote = new RemotePeer(world);
    const disk = gate();
    store.hold = disk.promise;
    for (let n = 0; n < 40; n++)
      remote.link.receive({ lane: lanes.rpcReliable, body: Uint8Array.of(255, n) });
    await world.clock.settle();
    assert.equal(store.commits.length, 16);
    assert.equal(world.inbound.gate.dropped, 24);
    disk.open();
    await world.clock.settle();
    assert.equal(world.inbound.deadLetters.count, 16);
  });

  it("answers a durable send when the message is on disk, before it is handled", async () => {
    const store = new ScriptedStore();
    const world = await rig({ store, open: false });
    const remote = new RemotePeer(world);
    const disk = gate();
    store.hold = disk.promise;
    await remote.send("later", { durableSend: true });
    assert.deepEqual(remote.heard, [], "not on disk yet");
    disk.open();
    await world.clock.settle();
    assert.deepEqual(remote.heard, [""]);
    assert.deepEqual(world.handled, []);
    world.inbound.open();
    await world.clock.settle();
    assert.deepEqual(world.handled, ["later"]);
    assert.deepEqual(remote.heard, [""], "exactly one answer");
    assert.deepEqual(await store.mailboxRows(0, 10), []);
  });

  it("refuses a durable send that could not be handled later, before it reaches the disk", async () => {
    const store = new ScriptedStore();
    const denying = new RemotePeer(await rig({ store, acl: [] }));
    await denying.send("no", { durableSend: true });
    assert.deepEqual(denying.heard, [10004]);
    const unknown = new RemotePeer(await rig({ store }));
    await unknown.send("no", { durableSend: true, routeKey: "acme.Nothing.Here" });
    assert.deepEqual(unknown.heard, [10006]);
    assert.deepEqual(store.commits, []);
  });

  it("[ND-07] answers at once, with a transient error, when a durable request cannot be stored", async () => {
    const store = new ScriptedStore();
    const world = await rig({ store, durable: true });
    const remote = new RemotePeer(world);
    store.refuses = () => new ActrError("storage", "disk full");
    await remote.send("hi");
    await remote.send("hi", { durableSend: true });
    assert.deepEqual(remote.heard, [10001, 10001]);
    assert.equal(world.inbound.mailbox.idle, true);
    store.refuses = () => undefined;
    await remote.send("again");
    assert.equal(remote.heard[2], "Echo: again");
  });

  it("answers overloaded, with a hint, when the mailbox is full", async () => {
    const world = await rig({ open: false, options: { mailbox: { maxDepth: 2 } } });
    const remote = new RemotePeer(world);
    for (const text of ["a", "b", "c"]) await remote.send(text);
    const [answer, ...more] = remote.answers;
    assert.deepEqual(more, []);
    assert.equal(answer?.error?.code, 10001);
    assert.match(answer?.error?.message ?? "", /retry_after_ms=Some\(100\)/);
    world.inbound.open();
    await world.clock.settle();
    assert.deepEqual(world.handled, ["a", "b"]);
  });

  it("refuses requests once closed; answers to own calls still come in", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    let answered = 0;
    world.pending.open({
      requestId: "own",
      peerKey: remote.peer.key,
      link: undefined,
      answered: () => void answered++,
      disconnected: () => {},
      fail: () => {},
    });
    world.inbound.gate.close(new ActrError("stopping", "bye"));
    await remote.send("hi");
    assert.deepEqual(remote.heard, [10001]);
    assert.deepEqual(world.handled, []);
    await remote.send("", { requestId: "own", direction: directions.response });
    assert.equal(answered, 1);
  });

  it("refuses requests while it is paused, and goes on to where it was closed meanwhile", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    const { gate: its } = world.inbound;
    const letIn = its.pause(new ActrError("unavailable", "wait"));
    await remote.send("a");
    letIn();
    await remote.send("b");
    assert.deepEqual(remote.heard, [10001, "Echo: b"]);
    const letInAgain = its.pause(new ActrError("unavailable", "wait"));
    assert.throws(() => its.pause(new ActrError("unavailable", "again")), { message: "wait" });
    its.close(new ActrError("stopping", "bye"));
    letInAgain();
    await remote.send("c");
    assert.deepEqual(world.handled, ["b"]);
    assert.throws(() => its.pause(new ActrError("unavailable", "again")), { code: "stopping" });
  });

  it("tells who waits in the queue that the node stops", async () => {
    const world = await rig({ open: false });
    const remote = new RemotePeer(world);
    await remote.send("a");
    await remote.tell("on disk");
    await world.inbound.close(new ActrError("stopping", "bye"));
    await world.clock.settle();
    assert.deepEqual(remote.heard, [10001]);
    assert.deepEqual(world.handled, []);
    assert.equal(
      (await world.store.mailboxRows(0, 10)).length,
      1,
      "the tell waits for the next start",
    );
  });

  it("numbers durable messages above all that the store has seen", async () => {
    const store = new ScriptedStore();
    const first = await rig({ store, open: false });
    await new RemotePeer(first).tell("a");
    await new RemotePeer(first).tell("b");
    const second = await rig({ store: store.reopen(), open: false });
    await new RemotePeer(second).tell("c");
    const rows = await second.store.mailboxRows(0, 10);
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      [1, 2, 3],
    );
  });

  it("stores the sender's own bytes", async () => {
    const store = new ScriptedStore();
    const world = await rig({ store, open: false });
    const remote = new RemotePeer(world);
    const body = encodeEnvelope({
      routeKey: route,
      payload: Uint8Array.of(1),
      direction: directions.tell,
      requestId: "own bytes",
      metadata: [{ key: "k", value: "v" }],
      timeoutMs: 7,
    });
    remote.link.receive({ lane: lanes.rpcReliable, body });
    await world.clock.settle();
    const [row] = await store.mailboxRows(0, 1);
    assert.deepEqual(row?.payload, body);
    assert.deepEqual(row?.from, remote.peer.bytes);
  });
});
