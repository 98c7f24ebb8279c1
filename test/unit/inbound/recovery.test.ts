import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { emptyContents } from "../../../adapters/memory/memory_contents.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { ActrError } from "../../../src/errors.ts";
import type { MailboxRow } from "../../../src/ports/store.ts";
import { directions, encodeEnvelope } from "../../../src/protocol/envelope.ts";
import { encodeActrId } from "../../../src/protocol/ids.ts";
import { methodCodecs } from "../../../src/protocol/service.ts";
import { peerId } from "../session/support.ts";
import { gate, RemotePeer, rig, route, ScriptedStore } from "./support.ts";

const codec = methodCodecs(EchoService)[0];

function told(seq: number, text: string, changes: Partial<MailboxRow> = {}): MailboxRow {
  const payload = encodeEnvelope({
    routeKey: route,
    payload: codec?.encodeRequest({ message: text }) ?? new Uint8Array(),
    direction: directions.tell,
    requestId: `stored-${seq}`,
    metadata: [],
    timeoutMs: 0,
  });
  return {
    seq,
    id: `row-${seq}`,
    from: encodeActrId(peerId(2)),
    payload,
    priority: 0,
    enqueuedAt: 0,
    attempts: 0,
    notBefore: 0,
    ...changes,
  };
}

async function stored(...rows: MailboxRow[]): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.commit(rows.map((row) => ({ kind: "mailbox.put", row })));
  return store.reopen();
}

describe("recovery", () => {
  it("hands out what an earlier process accepted, in its order, high priority first", async () => {
    const store = await stored(told(1, "a"), told(2, "b"), told(3, "urgent", { priority: 1 }));
    const world = await rig({ store });
    await world.clock.settle();
    assert.deepEqual(world.handled, ["urgent", "a", "b"]);
    assert.deepEqual(await store.mailboxRows(0, 10), []);
  });

  it("waits until a message that was put off is due", async () => {
    const { clock } = await rig();
    const store = await stored(told(1, "later", { notBefore: clock.now() + 1_000 }));
    const world = await rig({ store });
    await world.clock.advance(999);
    assert.deepEqual(world.handled, []);
    await world.clock.advance(1);
    assert.deepEqual(world.handled, ["later"]);
  });

  it("[ND-05] a message that was held when the process died comes back, until it has killed too often", async () => {
    const store = new ScriptedStore();
    const hang = gate();
    const first = await rig({ store, handle: (text) => hang.promise.then(() => text) });
    await new RemotePeer(first).tell("deadly");
    assert.deepEqual(first.handled, ["deadly"]);

    let current = store.reopen();
    const options = { inbound: { maxAttempts: 3 } };
    for (const attempts of [1, 2]) {
      const [row] = await current.mailboxRows(0, 10);
      assert.equal(row?.attempts, attempts);
      const world = await rig({
        store: current,
        options,
        handle: (text) => hang.promise.then(() => text),
      });
      await world.clock.settle();
      assert.deepEqual(world.handled, ["deadly"], `run ${attempts}`);
      current = current.reopen();
    }
    const last = await rig({ store: current, options });
    await last.clock.settle();
    assert.deepEqual(last.handled, []);
    const [letter] = await current.deadLetters(10);
    assert.deepEqual([letter?.category, letter?.messageId?.length], ["exhausted", 36]);
    assert.match(letter?.reason ?? "", /3 times/);
    assert.deepEqual(await current.mailboxRows(0, 10), []);
  });

  it("a suspect's claim is on disk before its handler begins", async () => {
    const contents = emptyContents();
    const row = told(1, "suspect", { attempts: 1 });
    await new MemoryStore(contents).commit([{ kind: "mailbox.put", row }]);
    const store = new ScriptedStore(contents);
    const disk = gate();
    store.hold = disk.promise;
    const world = await rig({ store });
    await world.clock.settle();
    assert.deepEqual(world.handled, []);
    assert.equal(store.kinds.at(-1), "mailbox.claim");
    disk.open();
    await world.clock.settle();
    assert.deepEqual(world.handled, ["suspect"]);
  });

  it("a suspect does not begin once the node has stopped, and stays in the store", async () => {
    const contents = emptyContents();
    const row = told(1, "suspect", { attempts: 1 });
    await new MemoryStore(contents).commit([{ kind: "mailbox.put", row }]);
    const store = new ScriptedStore(contents);
    const disk = gate();
    store.hold = disk.promise;
    const world = await rig({ store });
    await world.clock.settle();
    const closed = world.inbound.close(new ActrError("stopping", "this node is stopping"));
    disk.open();
    await closed;
    await world.clock.settle();
    assert.deepEqual(world.handled, []);
    assert.equal((await store.mailboxRows(0, 10)).length, 1);
  });

  it("[ND-09] a message of an unreadable sender is rejected and kept as a dead letter, never run as the host's", async () => {
    const from = Uint8Array.of(255, 255);
    const store = await stored(told(1, "forged", { from }));
    const world = await rig({ store });
    await world.clock.settle();
    assert.deepEqual(world.handled, []);
    const [letter] = await store.deadLetters(10);
    assert.equal(letter?.category, "unknown_sender");
    assert.deepEqual(letter?.from, from);
    assert.deepEqual(letter?.rawBytes, told(1, "forged").payload);
    assert.deepEqual(await store.mailboxRows(0, 10), []);
  });

  it("a message that is no envelope becomes a dead letter with its bytes, the others run", async () => {
    const payload = Uint8Array.of(255, 255);
    const store = await stored(told(1, "poison", { payload }), told(2, "good"));
    const world = await rig({ store });
    await world.clock.settle();
    assert.deepEqual(world.handled, ["good"]);
    const [letter] = await store.deadLetters(10);
    assert.equal(letter?.category, "protobuf_decode");
    assert.equal(letter?.messageId, "row-1");
    assert.deepEqual(letter?.rawBytes, payload);
    assert.deepEqual(JSON.parse(letter?.context ?? ""), { source: "mailbox", priority: "normal" });
  });

  it("nothing is acknowledged before its dead letter is written", async () => {
    const store = new ScriptedStore();
    const world = await rig({
      store,
      handle() {
        throw new ActrError("not_found", "no");
      },
    });
    store.refuses = (changes) =>
      changes.some(({ kind }) => kind === "deadLetter.put")
        ? new ActrError("storage", "disk full")
        : undefined;
    await new RemotePeer(world).tell("x");
    assert.equal((await store.mailboxRows(0, 10)).length, 1);
    assert.deepEqual(await store.deadLetters(10), []);
    store.refuses = () => undefined;
    await world.clock.advance(1_000);
    assert.deepEqual(await store.mailboxRows(0, 10), []);
    assert.equal((await store.deadLetters(10)).length, 1);
    assert.ok(store.kinds.includes("deadLetter.put mailbox.ack"), "in one commit");
  });

  it("reads the store in pages", async () => {
    const rows = Array.from({ length: 2_500 }, (_, n) => told(n + 1, String(n)));
    const world = await rig({ store: await stored(...rows), open: false });
    assert.equal(world.inbound.mailbox.status().queued, 2_500);
  });
});
