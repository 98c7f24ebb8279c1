import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { equalBytes, toHex } from "../../../src/protocol/bytes.ts";
import { type Frame, type Lane, lanes } from "../../../src/protocol/frame.ts";
import type { ChannelLane } from "../../../transports/webrtc/lanes.ts";
import { pauseChunk } from "../../../transports/webrtc/pause_chunk.ts";
import type { FakeChannel } from "./channel_world.ts";
import { collect, collectAll, linkPair } from "./webrtc_support.ts";

/** A prime number of bytes, so that no two fragments of a body are alike. */
const noise = new SeededRandom(7).bytes(65_521);
let bodies = 0;

/** A body unlike all others. */
function body(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += noise.length) {
    bytes.set(noise.subarray(0, Math.min(noise.length, length - at)), at);
  }
  if (length >= 4) new DataView(bytes.buffer).setUint32(length - 4, ++bodies);
  return bytes;
}

/** A body that begins with `mark`. */
function marked(mark: number, length: number): Uint8Array {
  const bytes = body(length);
  bytes[0] = mark;
  return bytes;
}

function assertSame(actual: readonly Frame[], expected: readonly Uint8Array[]): void {
  assert.equal(actual.length, expected.length);
  for (const [index, frame] of actual.entries()) {
    assert.ok(equalBytes(frame.body, expected[index] ?? noise), `body ${index} differs`);
  }
}

const { rpcReliable, rpcSignal, streamReliable, streamLatencyFirst } = lanes;
const kib = 1024;

describe("WebRTC link: channels", () => {
  it("opens the four lanes by label, the first before all others; only latency-first may lose and reorder", async () => {
    const { world, near, far } = await linkPair();
    await Promise.all([near.ready, far.ready]);
    assert.deepEqual(
      world.near.channels.map(({ label, options }) => [label, options]),
      [
        ["RPC_RELIABLE", {}],
        ["RPC_SIGNAL", {}],
        ["STREAM_RELIABLE", {}],
        ["STREAM_LATENCY_FIRST", { ordered: false, maxRetransmits: 3 }],
      ],
    );
    assert.equal(world.far.channels.length, 4, "the answerer opens none");
  });

  it("carries every lane both ways, numbered per lane and direction", async () => {
    const { clock, near, far, channel } = await linkPair();
    const [here, there] = [collectAll(near), collectAll(far)];
    for (const lane of [rpcReliable, rpcSignal, streamReliable, streamLatencyFirst] as Lane[]) {
      for (const value of [1, 2]) {
        await near.send({ lane, body: Uint8Array.of(lane, value) });
        await far.send({ lane, body: Uint8Array.of(lane, value) });
      }
      assert.deepEqual(channel(lane).sent.map(toHex), [
        `00000000000000010${lane}01`,
        `00000001000000010${lane}02`,
      ]);
    }
    await clock.settle();
    for (const [calls, chunks, lossy] of [here, there]) {
      assert.deepEqual(
        calls?.map(({ lane, body: [, value] }) => [lane, value]),
        [
          [rpcReliable, 1],
          [rpcReliable, 2],
          [rpcSignal, 1],
          [rpcSignal, 2],
        ],
      );
      assert.equal(chunks?.length, 2);
      assert.equal(lossy?.length, 2);
    }
  });

  it("works with a peer that offers the first channel alone, and takes the others when they come", async () => {
    const { clock, world, near, far } = await linkPair({ channels: false });
    near.addChannel(world.near.createChannel("RPC_RELIABLE"));
    await far.ready;
    const received = collect(near.frames);
    const chunks = collect(near.streams[0] as (typeof near.streams)[0]);
    await far.send({ lane: rpcReliable, body: Uint8Array.of(1) });
    let sent = false;
    const waiting = far.send({ lane: streamReliable, body: Uint8Array.of(2) }).then(() => {
      sent = true;
    });
    await clock.advance(9_000);
    assert.deepEqual([received.length, sent], [1, false]);
    near.addChannel(world.near.createChannel("STREAM_RELIABLE"));
    await waiting;
    await clock.settle();
    assert.equal(chunks.length, 1);
    assert.equal(world.far.channels.length, 2, "the answerer has opened none itself");
    assert.equal(clock.pending, 0);
  });

  it("refuses what waits 10 s for a channel that never comes, and lives on", async () => {
    const { clock, world, near, far } = await linkPair({ channels: false });
    near.addChannel(world.near.createChannel("RPC_RELIABLE"));
    const refused = assert.rejects(far.send({ lane: rpcSignal, body: body(1) }), {
      code: "unavailable",
      message: /RPC_SIGNAL.*10000 ms/,
    });
    await clock.advance(10_000);
    await refused;
    await far.send({ lane: rpcReliable, body: body(1) });
    assert.equal(far.bufferedBytes, 9, "the message of the other lane alone");
  });

  it("reads a second channel of a lane and sends on the first; ignores further ones and unknown labels", async () => {
    const { clock, world, near, far } = await linkPair();
    const received = collect(near.frames);
    const [second, third, stranger] = ["RPC_RELIABLE", "RPC_RELIABLE", "chat"].map((label) =>
      world.far.createChannel(label),
    ) as [FakeChannel, FakeChannel, FakeChannel];
    const message = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 42);
    for (const channel of [second, third, stranger]) channel.send(message);
    await clock.settle();
    assert.deepEqual(
      received.map((frame) => [...frame.body]),
      [[42]],
    );
    await near.send({ lane: rpcReliable, body: body(1) });
    assert.equal(second.twin?.sent.length, 0);
    stranger.twin?.ended();
    await far.send({ lane: rpcReliable, body: body(1) });
  });

  it("keeps fragments of two channels of one lane apart", async () => {
    const { clock, world, near, channel } = await linkPair();
    const received = collect(near.frames);
    const second = world.far.createChannel("RPC_RELIABLE");
    const first = channel(rpcReliable).twin as FakeChannel;
    const part = (index: number, value: number): Uint8Array =>
      Uint8Array.of(0, 0, 0, 0, 0, index, 0, 2, value);
    first.send(part(0, 1));
    second.send(part(0, 8));
    second.send(part(1, 9));
    first.send(part(1, 2));
    await clock.settle();
    assert.deepEqual(received.map((frame) => [...frame.body]).sort(), [
      [1, 2],
      [8, 9],
    ]);
  });

  it("[T-37] ends as a whole, with its connection, when one channel closes; what waits fails at once", async () => {
    const { clock, world, near, far, channel } = await linkPair();
    world.freeze(true);
    const waiting = near.send({ lane: streamReliable, body: body(2_000_000) });
    channel(rpcReliable).ended();
    await assert.rejects(waiting, { code: "unavailable" });
    assert.deepEqual(await near.closed, { by: "remote", reason: "data channel closed" });
    assert.equal(world.near.state, "closed");
    await clock.settle();
    assert.equal((await far.closed).by, "remote");
    assert.deepEqual(
      await Promise.all([...collectAll(near), ...collectAll(far)].map((all) => all.length)),
      [0, 0, 0, 0, 0, 0],
    );
    await assert.rejects(near.send({ lane: rpcReliable, body: body(1) }), { code: "unavailable" });
    assert.equal(clock.pending, 0);
  });

  it("is never ready when it ends before its first lane is open", async () => {
    const { near } = await linkPair({ channels: false });
    near.fail("ice restart failed");
    await assert.rejects(near.ready, { code: "unavailable", message: /ice restart failed/ });
    assert.deepEqual(await near.closed, { by: "lost", reason: "ice restart failed" });
  });
});

describe("WebRTC link: bodies", () => {
  it("[T-69] are one message up to 65,527 bytes and full fragments beyond; 60 KiB is one, 65 KiB are two", async () => {
    const { clock, near, far, channel } = await linkPair();
    const received = collect(far.frames);
    for (const [length, count, last] of [
      [0, 1, 8],
      [60 * kib, 1, 60 * kib + 8],
      [65_527, 1, 65_535],
      [65 * kib, 2, 1_041],
      [1024 * kib, 17, 152],
    ] as const) {
      const { sent } = channel(rpcReliable);
      sent.length = 0;
      const whole = body(length);
      await near.send({ lane: rpcReliable, body: whole });
      await clock.settle();
      assert.deepEqual([sent.length, sent.at(-1)?.length], [count, last]);
      assert.ok(sent.slice(0, -1).every((message) => message.length === 65_535));
      assertSame(received.splice(0), [whole]);
    }
  });

  it("[T-69] arrive intact in sequence and in both directions at once", async () => {
    const { clock, near, far } = await linkPair();
    const [here, there] = [collect(near.frames), collect(far.frames)];
    const out = [100, 200, 512, 1024, 80, 150, 100, 200, 128].map((size) => body(size * kib));
    const back = [96, 1, 96].map((size) => body(size * kib));
    await Promise.all([
      ...out.map((each) => near.send({ lane: rpcReliable, body: each })),
      ...back.map((each) => far.send({ lane: rpcReliable, body: each })),
    ]);
    await clock.settle();
    assertSame(there, out);
    assertSame(here, back);
  });

  it("fit into what a peer takes that takes less", async () => {
    const { clock, near, far, channel } = await linkPair({ network: { maxMessageBytes: 1_000 } });
    const received = collect(far.frames);
    const whole = body(10_000);
    await near.send({ lane: rpcReliable, body: whole });
    await clock.settle();
    assert.equal(channel(rpcReliable).sent.length, 11);
    assertSame(received, [whole]);
  });

  it("that no number of such messages can carry are refused, and so are media", async () => {
    const { near } = await linkPair({ network: { maxMessageBytes: 9 } });
    const refusal = { code: "invalid_argument" };
    await assert.rejects(near.send({ lane: rpcReliable, body: body(65_536) }), refusal);
    await assert.rejects(
      near.send({ lane: rpcReliable, body: new Uint8Array(16_777_217) }),
      refusal,
    );
    await assert.rejects(near.send({ lane: lanes.media, body: body(1) }), refusal);
    await near.send({ lane: rpcReliable, body: body(1) });
  });

  it("that are malformed are dropped, counted and logged sparingly; the lane lives on", async () => {
    const { clock, near, far, channel, records } = await linkPair();
    const received = collect(far.frames);
    for (let round = 0; round < 5; round++) {
      for (const bytes of [
        [1],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 1, 0, 1, 9],
      ]) {
        channel(rpcReliable).send(Uint8Array.from(bytes));
      }
    }
    await near.send({ lane: rpcReliable, body: Uint8Array.of(5) });
    await clock.settle();
    assert.deepEqual(
      received.map((frame) => [...frame.body]),
      [[5]],
    );
    assert.equal(far.dropped.malformed, 20);
    assert.equal(records.filter(({ event }) => event === "transport.message.dropped").length, 5);
  });

  it("of the latency-first lane survive any order, and those that miss a fragment are forgotten after 5 s", async () => {
    const { clock, near, far } = await linkPair({ network: { shuffle: true, loss: 0.2, seed: 3 } });
    const received = collect(far.streams[1] as (typeof far.streams)[1]);
    const sent = Array.from({ length: 200 }, (_, index) => body(index % 4 === 0 ? 70_000 : 500));
    for (const each of sent) void near.send({ lane: streamLatencyFirst, body: each });
    await clock.settle();
    const numberOf = (bytes: Uint8Array): number =>
      new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4);
    const known = new Map(sent.map((each) => [numberOf(each), each]));
    assertSame(
      received,
      received.map((frame) => known.get(numberOf(frame.body)) ?? noise),
    );
    assert.ok(received.length > 120 && received.length < 190, `${received.length} of 200`);
    assert.ok(received.some((frame) => frame.body.length === 70_000));
    assert.equal(clock.pending, 1);
    await clock.advance(10_000);
    assert.ok(far.dropped.expired > 0);
    assert.equal(clock.pending, 0);
  });
});

describe("WebRTC link: pressure", () => {
  it("makes a send wait while the channel is full, in order, and resolves it when its body has left", async () => {
    const { clock, world, near, far } = await linkPair();
    const received = collect(far.frames);
    world.freeze(true);
    const done: number[] = [];
    const sends = Array.from({ length: 10 }, (_, index) =>
      near
        .send({ lane: rpcReliable, body: marked(index, 300_000) })
        .then(() => void done.push(index)),
    );
    await clock.settle();
    assert.deepEqual(done, [0, 1, 2]);
    assert.ok(near.bufferedBytes > 3_000_000 && near.bufferedBytes < 3_010_000);
    world.freeze(false);
    await Promise.all(sends);
    await clock.settle();
    assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(
      received.map((frame) => frame.body[0]),
      done,
    );
    assert.equal(near.bufferedBytes, 0);
    await clock.advance(5_000);
    assert.equal(clock.pending, 0, "no timer runs while there is nothing to forget");
  });

  it("says once of each body when it needs the bytes no more, and not while it waits", async () => {
    const { clock, world, near, far } = await linkPair();
    const released: string[] = [];
    const send = (name: string, lane: ChannelLane = rpcReliable, signal?: AbortSignal) =>
      near.send(
        { lane, body: body(300_000) },
        { signal, released: () => void released.push(name) },
      );
    void send("first");
    assert.deepEqual(released, ["first"], "before send returns");
    world.freeze(true);
    const sends = Array.from({ length: 10 }, (_, index) => send(`frozen ${index}`));
    assert.deepEqual(released.splice(0), ["first", "frozen 0", "frozen 1"]);
    world.freeze(false);
    await Promise.all(sends);
    assert.deepEqual(
      released.splice(0),
      [2, 3, 4, 5, 6, 7, 8, 9].map((index) => `frozen ${index}`),
    );
    const ask = async (paused: ChannelLane[]): Promise<void> => {
      await far.send({ lane: streamReliable, body: pauseChunk(paused) });
      await clock.settle();
    };
    await ask([rpcReliable]);
    const abort = new AbortController();
    const given = assert.rejects(send("given up", rpcReliable, abort.signal), /enough/);
    const held = send("paused");
    void send("signal", rpcSignal);
    assert.deepEqual(released.splice(0), ["signal"], "the peer has asked for a pause");
    abort.abort(new Error("enough"));
    await given;
    await ask([]);
    await held;
    assert.deepEqual(released.splice(0).sort(), ["given up", "paused"]);
    await ask([rpcReliable]);
    const cut = assert.rejects(send("cut"), { code: "unavailable" });
    await near.close("done", { withinMs: 0 });
    await cut;
    assert.deepEqual(released, ["cut"], "it will never be sent");
  });

  it("takes an aborted body back, unless a part of it has left", async () => {
    const { clock, world, near, far, channel } = await linkPair();
    const received = collect(far.frames);
    world.freeze(true);
    const abort = new AbortController();
    const { signal } = abort;
    const begun = near.send({ lane: rpcReliable, body: body(2_000_000) }, { signal });
    const waiting = near.send({ lane: rpcReliable, body: body(1_000_000) }, { signal });
    const other = near.send({ lane: rpcReliable, body: body(3) });
    const reason = new Error("enough");
    abort.abort(reason);
    for (const aborted of [begun, waiting]) await assert.rejects(aborted, reason);
    await assert.rejects(near.send({ lane: rpcReliable, body: body(1) }, { signal }), reason);
    assert.ok(near.bufferedBytes < 3_010_000 - 900_000, `${near.bufferedBytes} are kept`);
    world.freeze(false);
    await other;
    await clock.settle();
    assert.deepEqual(
      received.map((frame) => frame.body.length),
      [2_000_000, 3],
    );
    assert.equal(channel(rpcReliable).sent.at(-1)?.[3], 1, "an aborted body takes no number");
  });

  it("refuses with `overloaded` what would wait beyond the limit", async () => {
    const { world, near } = await linkPair({ options: { maxBufferedBytes: 3_100_000 } });
    world.freeze(true);
    const sends: Promise<unknown>[] = [];
    for (let count = 0; count < 6; count++) {
      sends.push(
        near.send({ lane: streamReliable, body: body(1_000_000) }).catch((error) => error.code),
      );
    }
    near.fail("enough");
    assert.deepEqual(await Promise.all(sends), [
      undefined,
      "unavailable",
      "unavailable",
      "unavailable",
      "unavailable",
      "overloaded",
    ]);
  });

  it("[T-89] lets neither calls nor latency-first chunks wait for a reliable stream that nobody reads", async () => {
    const { clock, near, far } = await linkPair();
    const [calls, lossy] = [
      collect(far.frames),
      collect(far.streams[1] as (typeof far.streams)[1]),
    ];
    let sent = 0;
    const sending = (async () => {
      for (; sent < 300; sent++) await near.send({ lane: streamReliable, body: body(100_000) });
    })();
    await clock.settle();
    const before = sent;
    await clock.settle();
    assert.equal(sent, before, "the sender is held back");
    assert.ok(sent < 100, `${sent} sends of 100 KB resolved`);
    for (let count = 1; count <= 100; count++) {
      await near.send({ lane: count % 2 === 0 ? rpcReliable : rpcSignal, body: body(100_000) });
      await near.send({ lane: streamLatencyFirst, body: body(1_000) });
    }
    await clock.settle();
    assert.deepEqual([calls.length, lossy.length], [100, 100]);
    assert.equal(near.bufferedOn(streamLatencyFirst), 0);
    const chunks = collect(far.streams[0] as (typeof far.streams)[0]);
    await sending;
    await clock.settle();
    assert.equal(chunks.length, 300, "nothing is lost, and nothing of the link's own shows");
  });

  it("ends when a peer goes on sending that was asked to pause", async () => {
    const { clock, near, far, channel } = await linkPair({
      options: { receiveBytes: 100_000, maxReceiveBytes: 1_000_000 },
    });
    for (let count = 0; count < 20 && channel(rpcReliable).state === "open"; count++) {
      channel(rpcReliable).send(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 1, ...body(60_000)]));
      await clock.settle();
    }
    assert.deepEqual(await far.closed, { by: "lost", reason: "too much received unread" });
    assert.equal((await near.closed).by, "remote");
  });

  it("lives on when its peer takes too small messages to be asked to pause", async () => {
    const { near, channel } = await linkPair({
      options: { receiveBytes: 1_000 },
      network: { maxMessageBytes: 8 },
    });
    channel(rpcReliable).receive(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 1, ...body(2_000)]));
    assert.equal(near.frames.poll()?.body.length, 2_000);
    assert.equal(channel(streamReliable).state, "open");
  });

  it("drops the newest latency-first chunks that nobody reads, and counts them", async () => {
    const { clock, near, far } = await linkPair({ options: { receiveBytes: 100_000 } });
    for (let count = 0; count < 10; count++) {
      await near.send({
        lane: streamLatencyFirst,
        body: marked(count, 30_000),
      });
    }
    await clock.settle();
    const kept = collect(far.streams[1] as (typeof far.streams)[1]);
    await clock.settle();
    assert.deepEqual(
      kept.map((frame) => frame.body[0]),
      [0, 1, 2, 3],
    );
  });
});

describe("WebRTC link: end and recovery", () => {
  it("sends what waits before it closes, within 5 s", async () => {
    const { clock, near, far } = await linkPair({ network: { bytesPerTurn: 100_000 } });
    const received = collect(far.frames);
    const sent = near.send({ lane: rpcReliable, body: body(3_000_000) });
    const closed = near.close("had enough");
    await assert.rejects(near.send({ lane: rpcReliable, body: body(1) }), { code: "unavailable" });
    await clock.advance(4_000);
    await Promise.all([sent, closed]);
    assert.deepEqual(await near.closed, { by: "local", reason: "had enough" });
    assert.equal((await far.closed).by, "remote");
    assert.equal(received[0]?.body.length, 3_000_000);
    assert.equal(clock.pending, 0);
  });

  it("sends what waits before it closes also when there is no path for a while", async () => {
    const { clock, world, near, far } = await linkPair();
    const received = collect(far.frames);
    world.freeze(true);
    const sent = near.send({ lane: rpcReliable, body: body(3_000_000) });
    world.near.change("disconnected");
    const closed = near.close("had enough");
    await clock.advance(4_000);
    world.near.change("connected");
    world.freeze(false);
    await clock.advance(900);
    await Promise.all([sent, closed]);
    assert.equal(received[0]?.body.length, 3_000_000);
  });

  it("closes at once when there is no path and nothing waits, or never was hope of one", async () => {
    for (const [state, length] of [
      ["disconnected", 0],
      ["failed", 3_000_000],
    ] as const) {
      const { clock, world, near } = await linkPair();
      world.freeze(true);
      const sent = length === 0 ? undefined : near.send({ lane: rpcReliable, body: body(length) });
      const refused = sent && assert.rejects(sent, { code: "unavailable" });
      world.near.change(state);
      await near.close("had enough");
      await refused;
      assert.equal(clock.pending, 0);
    }
  });

  for (const [bound, options] of [
    [5_000, {}],
    [500, { withinMs: 500 }],
  ] as const) {
    it(`closes by force when the peer takes nothing for ${bound} ms`, async () => {
      const { clock, world, near } = await linkPair();
      world.freeze(true);
      const sent = assert.rejects(near.send({ lane: rpcReliable, body: body(3_000_000) }));
      const closing = near.close("had enough", options);
      await clock.advance(bound - 1);
      assert.equal(world.near.state, "connected");
      await clock.advance(1);
      await Promise.all([sent, closing]);
      assert.equal(world.near.state, "closed");
      assert.equal(clock.pending, 0);
    });
  }

  it("tells when it has stopped to work and when it works again, and keeps what was sent meanwhile", async () => {
    const { clock, world, near, far } = await linkPair();
    const received = collect(far.frames);
    const told: boolean[] = [];
    near.onWorking((works) => void told.push(works));
    world.freeze(true);
    world.near.change("disconnected");
    world.near.change("failed");
    const sent = near.send({ lane: rpcReliable, body: body(2_000_000) });
    assert.equal(await near.recover(1_000), false);
    world.freeze(false);
    world.near.change("connected");
    await sent;
    await clock.settle();
    assert.deepEqual(told, [false, true]);
    assert.equal(await near.recover(1_000), true);
    assert.equal(received.length, 1);
  });

  it("ends when its connection does", async () => {
    const { clock, world, near } = await linkPair();
    world.near.change("closed");
    assert.deepEqual(await near.closed, { by: "remote", reason: "connection closed" });
    await clock.settle();
    assert.equal(clock.pending, 0);
  });
});
