import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { ActrError } from "../../../src/errors.ts";
import { maxRedriveBatch, Redriver } from "../../../src/inbound/redriver.ts";
import { RowMaker } from "../../../src/inbound/row_maker.ts";
import type { DeadLetter } from "../../../src/ports/store.ts";
import { directions, encodeEnvelope } from "../../../src/protocol/envelope.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { encodeActrId, formatActrType, parseActrType } from "../../../src/protocol/ids.ts";
import { methodCodecs } from "../../../src/protocol/service.ts";
import { peerId } from "../session/support.ts";
import { gate, RemotePeer, type Rig, rig, route, ScriptedStore } from "./support.ts";

const [codec] = methodCodecs(EchoService);
const stranger = { ...peerId(9), type: parseActrType("evil:Node:1.0.0") };
const poison = Uint8Array.of(0xff, 0xff, 0xff);
const full = new ActrError("storage", "disk full", { details: { fault: "database" } });

/** A handler that fails until it is mended. */
function mendable(): { handle: (text: string) => string; mend: () => void } {
  let broken = true;
  return {
    handle: (text) => {
      if (broken) throw new ActrError("invalid_argument", `cannot take ${text}`);
      return text;
    },
    mend: () => {
      broken = false;
    },
  };
}

const lettersOf = (world: Rig): Promise<DeadLetter[]> =>
  world.store.deadLetters(100, { first: "oldest" });

async function idsOf(world: Rig): Promise<string[]> {
  return (await lettersOf(world)).map(({ id }) => id);
}

/** Redrives every letter and lets everything that it causes happen. */
async function redriveAll(world: Rig) {
  const result = await world.inbound.redriver.redrive(await idsOf(world));
  await world.clock.settle();
  return result;
}

describe("dead letters", () => {
  it("[ND-8] undecodable bytes are kept by the gate with category and source, tried until the store takes them; nothing is acknowledged before its letter is written; a redrive really runs it; time and number are limited", async () => {
    const store = new ScriptedStore();
    const { handle, mend } = mendable();
    const inbound = { deadLetterTtlMs: 60_000, deadLetterMaxEntries: 2, cleanUpMs: 1_000 };
    const world = await rig({ store, handle, options: { inbound } });
    const peer = new RemotePeer(world);

    // Off the wire, while the store does not take letters.
    const isLetter = ({ kind }: { kind: string }): boolean => kind === "deadLetter.put";
    store.refuses = (changes) => (changes.some(isLetter) ? full : undefined);
    peer.link.receive({ lane: lanes.rpcReliable, body: poison });
    await world.clock.settle();
    assert.deepEqual(await lettersOf(world), []);
    store.refuses = () => undefined;
    await world.clock.advance(1_000);
    const [kept] = await lettersOf(world);
    assert.equal(kept?.category, "protobuf_decode");
    assert.deepEqual(JSON.parse(kept?.context ?? ""), { source: "gate", priority: "normal" });
    assert.deepEqual(kept?.rawBytes, poison);
    assert.deepEqual(kept?.from, peer.peer.bytes);
    assert.equal(world.inbound.deadLetters.count, 1);

    // Out of the mailbox: no letter, no acknowledgement.
    store.refuses = (changes) => (changes.some(isLetter) ? full : undefined);
    await peer.tell("hard");
    assert.deepEqual(world.handled, ["hard"]);
    assert.equal((await store.mailboxRows(0, 10)).length, 1);
    assert.equal((await lettersOf(world)).length, 1);
    store.refuses = () => undefined;
    await world.clock.advance(1_000);
    assert.deepEqual(await store.mailboxRows(0, 10), []);
    assert.ok(store.kinds.includes("deadLetter.put mailbox.ack"), "in one commit");
    assert.deepEqual(world.handled, ["hard", "hard"]);

    mend();
    const { redriven, kept: stays } = await redriveAll(world);
    assert.equal(redriven.length, 1);
    assert.deepEqual(
      stays.map(({ id }) => id),
      [kept?.id],
    );
    assert.deepEqual(world.handled, ["hard", "hard", "hard"]);
    assert.deepEqual(await store.mailboxRows(0, 10), []);

    for (let each = 0; each < 3; each += 1) {
      peer.link.receive({ lane: lanes.rpcReliable, body: poison });
      await world.clock.advance(10);
    }
    await world.clock.advance(1_000);
    assert.equal((await lettersOf(world)).length, 2, "the newest");
    await world.clock.advance(61_000);
    assert.deepEqual(await lettersOf(world), [], "in time they go");
  });

  it("bytes that the store still refuses at the end are reported lost, and the end waits for nothing", async () => {
    const store = new ScriptedStore();
    const world = await rig({ store });
    const peer = new RemotePeer(world);
    store.refuses = () => full;
    peer.link.receive({ lane: lanes.rpcReliable, body: poison });
    await world.clock.settle();
    await world.inbound.close(new ActrError("stopping", "over"));
    await world.clock.settle();
    const failures = world.records.filter(({ event }) => event === "dead_letter.write_failed");
    assert.deepEqual(
      failures.map(({ attributes }) => attributes?.["lost"]),
      [false, true],
    );
    assert.equal(world.clock.pending, 0);
  });

  it("what may no longer be handled when its turn comes is kept, since its sender was told that it is safe", async () => {
    const store = new MemoryStore();
    const before = await rig({ store, open: false });
    const peer = new RemotePeer(before);
    await peer.send("x", { durableSend: true });
    assert.deepEqual(peer.heard, [""]);
    const acl = [{ permission: "deny", type: formatActrType(peerId(1).type), realm: "*" }] as const;
    const world = await rig({ store: store.reopen(), acl });
    await world.clock.settle();
    assert.deepEqual(world.handled, []);
    const [letter] = await lettersOf(world);
    assert.equal(letter?.category, "permission_denied");
    assert.deepEqual(await world.store.mailboxRows(0, 10), []);
  });
});

describe("a redrive", () => {
  it("handles letters anew in their order, once, though their failures are remembered; row and end of the letter are one commit", async () => {
    const store = new ScriptedStore();
    const { handle, mend } = mendable();
    const world = await rig({ store, handle });
    const peer = new RemotePeer(world);
    for (const text of ["a", "b", "c"]) await peer.tell(text, { requestId: text });
    await peer.tell("a", { requestId: "a" });
    assert.deepEqual(world.handled, ["a", "b", "c"], "a repeat of a failed one is not run");
    mend();
    store.commits.length = 0;
    const ids = await idsOf(world);
    assert.deepEqual(await redriveAll(world), { redriven: ids, kept: [], missing: [] });
    assert.deepEqual(world.handled, ["a", "b", "c", "a", "b", "c"]);
    assert.deepEqual(store.kinds.slice(0, 3), new Array(3).fill("mailbox.put deadLetter.delete"));
    assert.deepEqual(await lettersOf(world), []);
    assert.deepEqual(await store.mailboxRows(0, 10), []);
    await peer.tell("a", { requestId: "a" });
    assert.equal(world.handled.length, 6, "the success is remembered");
    assert.deepEqual(await redriveAll(world), { redriven: [], kept: [], missing: [] });
    assert.deepEqual(await world.inbound.redriver.redrive(ids.slice(0, 1)), {
      redriven: [],
      kept: [],
      missing: ids.slice(0, 1),
    });
  });

  it("has no second effect when the sender's own retry has succeeded meanwhile", async () => {
    const { handle, mend } = mendable();
    const world = await rig({ handle, options: { inbound: { dedupTtlMs: 5_000 } } });
    const peer = new RemotePeer(world);
    await peer.tell("a", { requestId: "1" });
    mend();
    await world.clock.advance(6_000);
    await peer.tell("a", { requestId: "1" });
    assert.deepEqual(world.handled, ["a", "a"]);
    assert.equal((await redriveAll(world)).redriven.length, 1);
    assert.deepEqual(world.handled, ["a", "a"]);
    assert.deepEqual(await world.store.mailboxRows(0, 10), []);
  });

  it("of what fails again ends as a letter again, also for a call that nobody waits for any more", async () => {
    const { handle } = mendable();
    const world = await rig({ handle });
    const peer = new RemotePeer(world);
    await peer.tell("told");
    await peer.send("sent", { durableSend: true });
    const [told] = await lettersOf(world);
    const call = encodeEnvelope({
      routeKey: route,
      payload: codec?.encodeRequest({ message: "called" }),
      direction: directions.request,
      requestId: "call",
      metadata: [],
      timeoutMs: 30_000,
    });
    const letter = { ...(told as DeadLetter), id: "call", rawBytes: call };
    await world.store.commit([{ kind: "deadLetter.put", letter }]);
    const before = await idsOf(world);
    assert.equal((await redriveAll(world)).redriven.length, 3);
    assert.deepEqual(world.handled.slice(2).sort(), ["called", "sent", "told"]);
    const after = await lettersOf(world);
    assert.equal(after.length, 3);
    assert.ok(after.every(({ id }) => !before.includes(id)));
    assert.equal(peer.heard.length, 1, "nobody is answered twice");
  });

  it("keeps, and counts, letters that could not be handled now either", async () => {
    const store = new MemoryStore();
    const rules = [
      { permission: "allow", type: formatActrType(peerId(1).type), realm: "*" },
    ] as const;
    const world = await rig({ store, acl: rules });
    const peer = new RemotePeer(world);
    const body = (changes: object): Uint8Array =>
      encodeEnvelope({
        routeKey: route,
        direction: directions.tell,
        requestId: "r",
        metadata: [],
        timeoutMs: 0,
        ...changes,
      });
    const base = { ...sampleLetter, from: peer.peer.bytes };
    const letters: DeadLetter[] = [
      { ...base, id: "1", rawBytes: poison },
      { ...base, id: "2", rawBytes: body({ routeKey: "no.Such.Route" }) },
      { ...base, id: "3", rawBytes: body({}), from: null },
      { ...base, id: "4", rawBytes: body({}), from: poison },
      { ...base, id: "5", rawBytes: body({ direction: directions.response }) },
      { ...base, id: "6", rawBytes: body({}), from: encodeActrId(stranger) },
    ];
    await store.commit(letters.map((letter) => ({ kind: "deadLetter.put", letter })));
    const { redriven, kept } = await redriveAll(world);
    assert.deepEqual(redriven, []);
    assert.deepEqual(
      kept.map(({ id }) => id),
      ["1", "2", "3", "4", "5", "6"],
    );
    assert.match(kept[1]?.reason ?? "", /no\.Such\.Route is not served here/);
    assert.match(kept[5]?.reason ?? "", /not allowed/);
    for (const letter of await lettersOf(world)) {
      assert.equal(letter.redriveAttempts, 1);
      assert.equal(letter.lastRedriveAt, world.clock.now());
    }
    assert.deepEqual(world.handled, []);
    assert.deepEqual(await store.mailboxRows(0, 10), []);
  });

  it("that the store refuses leaves a letter; one that it took survives a crash before it is handled", async () => {
    const store = new ScriptedStore();
    const { handle } = mendable();
    const world = await rig({ store, handle });
    await new RemotePeer(world).tell("a");
    store.refuses = () => full;
    await assert.rejects(redriveAll(world), { code: "storage" });
    assert.equal((await lettersOf(world)).length, 1);
    assert.deepEqual(world.handled, ["a"]);
    store.refuses = () => undefined;
    const door = gate();
    store.hold = door.promise;
    const redriving = redriveAll(world);
    await world.clock.settle();
    assert.deepEqual(world.handled, ["a"], "not before it is on disk");
    await world.inbound.close(new ActrError("stopping", "over"));
    door.open();
    await redriving;
    assert.deepEqual(world.handled, ["a"]);
    const next = await rig({ store: store.reopen() });
    await next.clock.settle();
    assert.deepEqual(next.handled, ["a"]);
    assert.deepEqual(await lettersOf(next), []);
  });

  it("is bounded: one batch at a time, of limited size, and none while the mailbox is full", async () => {
    const { handle } = mendable();
    const door = gate();
    let held = false;
    const world = await rig({
      handle: (text) => (held ? door.promise.then(() => text) : handle(text)),
      options: { mailbox: { maxDepth: 2, backpressureThreshold: 2 } },
    });
    const peer = new RemotePeer(world);
    await peer.tell("a");
    const ids = await idsOf(world);
    const { redriver } = world.inbound;
    held = true;
    peer.post("1");
    peer.post("2");
    await world.clock.settle();
    await assert.rejects(redriver.redrive(ids), { code: "overloaded" });
    assert.equal((await lettersOf(world))[0]?.redriveAttempts, 0);
    door.open();
    await world.clock.settle();
    held = false;
    const first = redriver.redrive(ids);
    await assert.rejects(redriver.purge(ids), { code: "overloaded", retryAfterMs: 100 });
    assert.deepEqual((await first).redriven, ids);
    const many = Array.from({ length: maxRedriveBatch + 1 }, (_, at) => String(at));
    await assert.rejects(redriver.redrive(many), RangeError);
  });

  it("of a store at rest puts the rows there, for the next start to handle in order", async () => {
    const store = new MemoryStore();
    const { handle } = mendable();
    const world = await rig({ store, handle });
    const peer = new RemotePeer(world);
    await peer.tell("low");
    await peer.tell("high", { lane: lanes.rpcSignal });
    const ids = await idsOf(world);

    const rest = store.reopen();
    const { clock } = world;
    const rows = new RowMaker({ clock, random: new SeededRandom() }, rest.opened);
    const redriver = new Redriver({ clock, store: rest, rows });
    assert.deepEqual((await redriver.redrive([...ids, ...ids])).redriven, ids);
    assert.deepEqual(await rest.deadLetters(10), []);
    assert.deepEqual(
      (await rest.mailboxRows(0, 10)).map(({ priority }) => priority),
      [0, 1],
    );
    const next = await rig({ store: rest.reopen() });
    await next.clock.settle();
    assert.deepEqual(next.handled, ["high", "low"]);
  });

  it("purges letters for good, in one commit", async () => {
    const store = new ScriptedStore();
    const { handle } = mendable();
    const world = await rig({ store, handle });
    const peer = new RemotePeer(world);
    for (const text of ["a", "b", "c"]) await peer.tell(text);
    const [a = "", b = "", c] = await idsOf(world);
    store.commits.length = 0;
    assert.deepEqual(await world.inbound.redriver.purge([a, "gone", b]), {
      purged: [a, b],
      missing: ["gone"],
    });
    assert.deepEqual(store.kinds, ["deadLetter.delete deadLetter.delete"]);
    assert.deepEqual(await idsOf(world), [c]);
  });
});

describe("a store that cannot write", () => {
  it("lets a node refuse durable work with a retryable error, and take it again by itself", async () => {
    const store = new MemoryStore();
    const world = await rig({ store });
    const peer = new RemotePeer(world);
    store.fail("database or disk is full");
    await peer.send("a", { durableSend: true });
    await peer.send("b");
    await peer.tell("c");
    const [refused] = peer.answers;
    assert.equal(refused?.error?.code, 10001);
    assert.match(refused?.error?.message ?? "", /retry_after_ms=Some\(1000\)/);
    assert.doesNotMatch(refused?.error?.message ?? "", /disk is full/);
    assert.deepEqual(world.handled, ["b"], "what needs no disk goes on");
    assert.ok(world.records.some(({ event }) => event === "store.fault"));
    assert.equal(world.inbound.gate.dropped, 1, "a tell that is refused is counted and logged");
    store.fail(undefined);
    await peer.send("a", { durableSend: true });
    assert.deepEqual(world.handled, ["b", "a"]);
    assert.equal(peer.heard.at(-1), "");
    assert.ok(world.records.some(({ event }) => event === "store.fault_cleared"));
  });
});

const sampleLetter: DeadLetter = {
  id: "",
  messageId: null,
  from: null,
  to: null,
  rawBytes: poison,
  reason: "test",
  category: "handler_error",
  traceId: "trace",
  requestId: null,
  createdAt: 1,
  redriveAttempts: 0,
  lastRedriveAt: null,
  context: null,
};
