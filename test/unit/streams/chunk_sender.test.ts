import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import type { SessionState } from "../../../src/identity/session_state.ts";
import { defaultNodeOptions } from "../../../src/options.ts";
import { decodeDataChunk } from "../../../src/protocol/data_chunk.ts";
import { type Lane, lanes } from "../../../src/protocol/frame.ts";
import { Deadlines } from "../../../src/session/deadlines.ts";
import { noRoute } from "../../../src/session/dialer.ts";
import { YieldBudget } from "../../../src/session/yield_budget.ts";
import { StreamActivity } from "../../../src/streams/activity.ts";
import { ChunkSender, type DeliveryUncertain } from "../../../src/streams/chunk_sender.ts";
import { LinkWriter } from "../../../src/streams/link_writer.ts";
import { FakeLink, peerId, type Sessions, sessions } from "../session/support.ts";
import { settles, streamId } from "./support.ts";

const far = peerId(2);
const payload = Uint8Array.of(1, 2, 3);

interface SenderRig extends Sessions {
  readonly sender: ChunkSender;
  readonly deadlines: Deadlines;
  readonly uncertain: DeliveryUncertain[];
  /** Counts this node's identities. */
  identity: number;
}

function senderRig(): SenderRig {
  const base = sessions();
  const { clock, manager } = base;
  const deadlines = new Deadlines(clock);
  const uncertain: DeliveryUncertain[] = [];
  const session = {
    get current() {
      return { generation: world.identity } as SessionState["current"];
    },
    assertUsable(generation: number) {
      if (generation !== world.identity) throw new ActrError("connection_not_ready", "rebound");
    },
  };
  const sender = new ChunkSender(
    {
      clock,
      deadlines,
      yields: new YieldBudget(clock),
      session,
      sessions: manager,
      onUncertain: (one) => void uncertain.push(one),
    },
    { ...defaultNodeOptions.streams, maxConnecting: 2 },
  );
  const world: SenderRig = Object.assign(base, { sender, deadlines, uncertain, identity: 1 });
  world.onUnlinked = (link, end) => sender.disconnected(link, end);
  return world;
}

/** A link whose peer reads slowly: sends wait until the test says so. */
class SlowLink extends FakeLink {
  override readonly bufferedBytes: number = 1_000_000;
  drain: () => void = () => {};

  override async send(frame: FakeLink["sent"][number]): Promise<void> {
    this.sent.push(frame);
    await new Promise<void>((resolve) => {
      this.drain = resolve;
    });
  }
}

describe("sending chunks", () => {
  it("[N-69] [T-61] refuses other payload types, ids and deadlines before anything is dialled", async () => {
    const { sender, transport } = senderRig();
    for (const payloadType of [lanes.rpcReliable, lanes.rpcSignal, lanes.media, 9 as Lane]) {
      await assert.rejects(sender.send(far, streamId, { payload }, { payloadType }), {
        code: "invalid_argument",
      });
    }
    for (const timeoutMs of [0, -1, Number.NaN]) {
      await assert.rejects(sender.send(far, streamId, { payload }, { timeoutMs }), {
        code: "invalid_argument",
      });
    }
    for (const id of ["", "x".repeat(257)]) {
      await assert.rejects(sender.send(far, id, { payload }), { code: "invalid_argument" });
    }
    for (const sequence of [-1n, 2n ** 64n]) {
      await assert.rejects(sender.send(far, streamId, { payload, sequence }), RangeError);
    }
    assert.deepEqual(transport.dials, []);
  });

  it("[N-69] [T-61] fails at once, and is not tried again, where nobody can be reached or the link breaks", async () => {
    const { sender, transport, clock, urls } = senderRig();
    transport.onDial = async () => {
      throw new ActrError("unavailable", "nobody there");
    };
    const began = clock.monotonic();
    await assert.rejects(sender.send(far, streamId, { payload }), { code: "unavailable" });
    urls.set("2@1001/acme:Peer:1.0.0", "nowhere");
    await assert.rejects(sender.send(far, streamId, { payload }), (error: ActrError) => {
      assert.equal(error.details?.["reason"], noRoute);
      return true;
    });
    urls.clear();
    const broken = new FakeLink(far);
    broken.failures.push(new ActrError("unavailable", "the link is closed"));
    transport.onDial = async () => broken;
    await assert.rejects(sender.send(far, streamId, { payload }), { code: "unavailable" });
    assert.equal(broken.sent.length, 1);
    assert.ok(clock.monotonic() - began < 1_000);
  });

  it("sends what it is given, on the lane that was asked for", async () => {
    const { sender, transport } = senderRig();
    const metadata = [{ key: "k", value: "v" }];
    assert.equal(
      await sender.send(far, streamId, { payload, sequence: 7n, metadata, timestampMs: 9 }),
      true,
    );
    await sender.send(far, streamId, { payload }, { payloadType: lanes.streamLatencyFirst });
    const [first, second] = transport.link.sent;
    assert.equal(first?.lane, lanes.streamReliable);
    assert.deepEqual(decodeDataChunk(first?.body ?? payload), {
      streamId,
      sequence: 7n,
      payload,
      metadata,
      timestampMs: 9,
    });
    assert.equal(second?.lane, lanes.streamLatencyFirst);
    assert.equal(decodeDataChunk(second?.body ?? payload).sequence, 0n);
  });

  it("lets others have their turn, however fast the link takes what is sent", async () => {
    const { sender, clock } = senderRig();
    const chunk = { payload: new Uint8Array(65_536) };
    await sender.send(far, streamId, chunk);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 1_000; sent++) await sender.send(far, streamId, chunk);
    })();
    const seen = await new Promise<number>((resolve) => clock.defer(() => resolve(sent)));
    assert.ok(seen > 0 && seen <= 8, `${seen} chunks in one turn`);
    await sending;
    assert.equal(sent, 1_000);
  });

  it("[N-161] a reliable chunk waits for room within its deadline; a latency-first one is dropped and counted", async () => {
    const { sender, transport, clock, deadlines } = senderRig();
    const link = new SlowLink(far);
    transport.onDial = async () => link;
    const waiting = sender.send(far, streamId, { payload }, { timeoutMs: 5_000 });
    await clock.settle();
    assert.equal(await settles(waiting), false);
    assert.equal(
      await sender.send(far, streamId, { payload }, { payloadType: lanes.streamLatencyFirst }),
      false,
    );
    assert.equal(sender.dropped, 1);
    assert.equal(link.sent.length, 1);
    link.drain();
    assert.equal(await waiting, true);

    const late = assert.rejects(sender.send(far, streamId, { payload }), { code: "timed_out" });
    await clock.advance(15_010);
    await late;
    const abort = new AbortController();
    const stopped = sender.send(far, streamId, { payload }, { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(stopped, { message: "enough" });
    deadlines.close();
    assert.equal(clock.pending, 0);
  });

  it("does not wait for a connection longer than asked, nor for too many at once", async () => {
    const { sender, transport, clock } = senderRig();
    transport.onDial = () => new Promise(() => {});
    const waiting = [1, 2].map(() =>
      assert.rejects(sender.send(far, streamId, { payload }, { timeoutMs: 1_000 }), {
        code: "timed_out",
      }),
    );
    await assert.rejects(sender.send(far, streamId, { payload }), { code: "overloaded" });
    await clock.advance(1_000);
    await Promise.all(waiting);
  });

  it("[N-134] tells once for each stream and connection that deliveries are uncertain, with ids and reason", async () => {
    const rig = senderRig();
    const { sender, transport, clock } = rig;
    for (const id of ["a", "a", "b"]) await sender.send(far, id, { payload });
    transport.link.end({ by: "remote", reason: "gone" });
    await clock.settle();
    const reason = "connection closed: gone";
    assert.deepEqual(rig.uncertain, [
      { streamId: "a", sessionId: "1", reason },
      { streamId: "b", sessionId: "1", reason },
    ]);
    rig.uncertain.length = 0;
    await sender.send(far, "a", { payload });
    await clock.advance(30_000);
    await sender.send(far, "b", { payload });
    transport.link.end();
    await clock.settle();
    assert.deepEqual(
      rig.uncertain.map(({ streamId, sessionId }) => [streamId, sessionId]),
      [["b", "2"]],
      "what was sent long ago has arrived or has been missed",
    );
    await sender.send(far, "a", { payload });
    await transport.link.close("enough");
    await clock.settle();
    assert.equal(rig.uncertain.length, 1, "a connection that this side closes is emptied first");
  });
});

describe("the reason of an uncertain delivery", () => {
  it("is told also of connections that this side gives up, as their peer is silent or the network another", async () => {
    const { manager, sender, transport, clock, uncertain } = senderRig();
    await sender.send(far, "a", { payload });
    manager.dropSilent(transport.link, manager.arrivedOn(transport.link));
    await clock.settle();
    await sender.send(far, "b", { payload });
    await manager.reset("the network is another one");
    await clock.settle();
    assert.deepEqual(uncertain, [
      {
        streamId: "a",
        sessionId: "1",
        reason: "connection closed: silent since an unanswered request",
      },
      {
        streamId: "b",
        sessionId: "2",
        reason: "connection closed: the network is another one",
      },
    ]);
  });

  for (const reason of ["data channel closed", "ice restart failed", "connection closed"]) {
    it(`is told as it is: ${reason}`, async () => {
      const { sender, transport, clock, uncertain } = senderRig();
      await sender.send(far, "a", { payload });
      transport.link.end({ by: "lost", reason });
      await clock.settle();
      assert.deepEqual(uncertain, [{ streamId: "a", sessionId: "1", reason }]);
    });
  }
});

describe("stream activity", () => {
  it("[N-164] keeps one record for each stream and session, apart from other sessions, until it is taken or over", async () => {
    const { clock } = sessions();
    const activity = new StreamActivity(clock);
    const [first, second] = [new FakeLink(far), new FakeLink(far)];
    for (const id of ["a", "b", "a"]) activity.sent(first, id);
    activity.sent(second, "a");
    assert.equal(activity.size(first), 2);
    assert.deepEqual(activity.take(first), { sessionId: 1, streamIds: ["a", "b"] });
    assert.equal(activity.take(first), undefined, "taken is gone");
    await clock.advance(29_999);
    activity.sent(second, "late");
    await clock.advance(1);
    assert.deepEqual(activity.take(second), { sessionId: 2, streamIds: ["late"] });
    activity.sent(second, "x");
    await clock.advance(30_000);
    assert.equal(activity.take(second), undefined);
  });

  it("[N-164] forgets streams that are over while there are very many", async () => {
    const { clock } = sessions();
    const activity = new StreamActivity(clock);
    const link = new FakeLink(far);
    for (let n = 0; n < 300; n++) activity.sent(link, `old ${n}`);
    await clock.advance(30_000);
    activity.sent(link, "new 0");
    assert.equal(activity.size(link), 301, "not looked for at every chunk");
    for (let n = 1; n < 300; n++) activity.sent(link, `new ${n}`);
    assert.equal(activity.size(link), 300);
  });
});

describe("stream writer", () => {
  it("numbers its chunks, marks the end, and takes nothing after it", async () => {
    const { sender, clock } = senderRig();
    const link = new FakeLink(far);
    const writer = new LinkWriter({ clock, sender }, link, streamId, sender.bounds(streamId));
    await writer.write(payload);
    await writer.write(payload, { timestampMs: 3 });
    assert.equal(writer.sequence, 2n);
    await writer.close();
    await writer.close();
    await assert.rejects(writer.write(payload), { code: "invalid_argument" });
    const chunks = link.sent.map(({ body }) => decodeDataChunk(body));
    assert.deepEqual(
      chunks.map(({ sequence, payload }) => [sequence, payload.length]),
      [
        [0n, 3],
        [1n, 3],
        [2n, 0],
      ],
    );
    assert.deepEqual(chunks[2]?.metadata, [{ key: "roost-stream-end", value: "ok" }]);
  });

  it("never drops the end of a latency-first stream", async () => {
    const { sender, clock } = senderRig();
    const link = new SlowLink(far);
    const bounds = sender.bounds(streamId, { payloadType: lanes.streamLatencyFirst });
    const writer = new LinkWriter({ clock, sender }, link, streamId, bounds);
    assert.equal(await writer.write(payload), false);
    const closing = writer.close();
    await clock.settle();
    link.drain();
    await closing;
    assert.deepEqual(
      link.sent.map(({ lane }) => lane),
      [lanes.streamReliable],
    );
  });

  it("tells its end also when its signal has aborted", async () => {
    const { sender, clock } = senderRig();
    const link = new FakeLink(far);
    const abort = new AbortController();
    const bounds = sender.bounds(streamId, { signal: abort.signal });
    const writer = new LinkWriter({ clock, sender }, link, streamId, bounds);
    abort.abort(new Error("enough"));
    await assert.rejects(writer.write(payload), { message: "enough" });
    await writer.abort(new ActrError("not_found", "no such file"));
    const [end] = link.sent.map(({ body }) => decodeDataChunk(body));
    assert.deepEqual(end?.metadata, [
      { key: "roost-stream-end", value: "10003 not found: no such file" },
    ]);
  });

  it("does not go on under another identity", async () => {
    const rig = senderRig();
    const { sender, clock } = rig;
    const link = new FakeLink(far);
    const writer = new LinkWriter({ clock, sender }, link, streamId, sender.bounds(streamId));
    await writer.write(payload);
    rig.identity = 2;
    await assert.rejects(writer.write(payload), { code: "connection_not_ready" });
    assert.equal(link.sent.length, 1);
  });
});
