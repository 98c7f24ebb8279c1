import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lanes } from "../../src/protocol/frame.ts";
import {
  Accepted,
  linkPair,
  listen,
  never,
  numbered,
  numberOf,
  sized,
  type TransportFixture,
  take,
  turn,
} from "./transport_fixture.ts";

export type { TransportFixture } from "./transport_fixture.ts";

const limit = { timeout: 60_000 };
const interval = 15_000;

type Open = () => Promise<TransportFixture>;

/** What every Transport that listens must do. */
export function transportConformance(name: string, open: Open): void {
  describe(`transport: ${name}`, () => {
    dialing(open);
    carrying(open);
    pressing(open);
    ending(open);
    keepingAlive(open);
  });
}

function dialing(open: Open): void {
  it("does not dial under an aborted signal", limit, async () => {
    await using fixture = await open();
    const accepted = new Accepted();
    await listen(fixture, accepted);
    const signal = AbortSignal.abort(new Error("too late"));
    await assert.rejects(fixture.near.dial(fixture.farAddress, { signal }), /too late/);
    assert.equal(accepted.links.length, 0);
  });

  it(
    "ends a dial that is aborted on the way, with the signal's reason and no link left",
    limit,
    async () => {
      await using fixture = await open();
      await listen(fixture, new Accepted());
      const release = fixture.holdVerification();
      const abort = new AbortController();
      const dialed = fixture.near.dial(fixture.farAddress, { signal: abort.signal });
      await turn();
      abort.abort(new Error("changed my mind"));
      await assert.rejects(dialed, /changed my mind/);
      release();
      while (fixture.openConnections > 0) await turn();
    },
  );

  it("tells each end who the other is, as verified", limit, async () => {
    await using fixture = await open();
    const { near, far } = await linkPair(fixture);
    assert.deepEqual(far.peer, fixture.nearId);
    assert.deepEqual(near.peer, fixture.farAddress.id);
    assert.deepEqual([near.direction, far.direction], ["outbound", "inbound"]);
    assert.equal(near.transport, fixture.near.name);
  });

  it("refuses a dialer whose credential does not hold, before there is a link", limit, async () => {
    await using fixture = await open();
    const accepted = new Accepted();
    await listen(fixture, accepted);
    const dialed = fixture.impostor.dial(fixture.farAddress, { signal: never });
    await assert.rejects(dialed, { code: "permission_denied" });
    assert.equal(accepted.links.length, 0);
  });

  it("reports a peer that does not listen as unavailable", limit, async () => {
    await using fixture = await open();
    const dialed = fixture.near.dial(fixture.farAddress, { signal: never });
    await assert.rejects(dialed, { code: "unavailable" });
  });

  it(
    "stops accepting when the listener is disposed of, and lets its links live",
    limit,
    async () => {
      await using fixture = await open();
      const { near, far, listener } = await linkPair(fixture);
      await listener[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
      const dialed = fixture.near.dial(fixture.farAddress, { signal: never });
      await assert.rejects(dialed, { code: "unavailable" });
      await near.send(numbered(5));
      assert.deepEqual((await take(far, 1)).map(numberOf), [5]);
    },
  );

  it("keeps two links to the same peer apart", limit, async () => {
    await using fixture = await open();
    const { near, far, accepted } = await linkPair(fixture);
    const second = await fixture.near.dial(fixture.farAddress, { signal: never });
    const secondFar = await accepted.at(1);
    await second.send(numbered(2));
    await near.send(numbered(1));
    assert.deepEqual((await take(far, 1)).map(numberOf), [1]);
    assert.deepEqual((await take(secondFar, 1)).map(numberOf), [2]);
    await near.close("one of two");
    await second.send(numbered(3));
    assert.deepEqual((await take(secondFar, 1)).map(numberOf), [3]);
  });

  it("leaves nothing behind after 100 dials and closes", limit, async () => {
    await using fixture = await open();
    const accepted = new Accepted();
    await listen(fixture, accepted);
    for (let round = 0; round < 100; round++) {
      const near = await fixture.near.dial(fixture.farAddress, { signal: never });
      const far = await accepted.at(round);
      await near.send(numbered(round));
      await (round % 2 === 0 ? near : far).close("done");
      await Promise.all([near.closed, far.closed]);
    }
    assert.equal(fixture.pendingTimers, 0);
    while (fixture.openConnections > 0) await turn();
  });
}

function carrying(open: Open): void {
  it("carries every lane that it names, and empty bodies", limit, async () => {
    await using fixture = await open();
    const { near, far } = await linkPair(fixture);
    const sent = fixture.near.capabilities.lanes;
    for (const lane of sent) await near.send({ lane, body: new Uint8Array() });
    const frames = await take(far, sent.length);
    assert.deepEqual(
      frames.map((frame) => frame.lane),
      sent,
    );
    assert.ok(frames.every((frame) => frame.body.length === 0));
  });

  it("refuses a lane that it does not name", limit, async (t) => {
    await using fixture = await open();
    const { near } = await linkPair(fixture);
    if (near.transport === "webrtc") return t.skip("carries every lane");
    assert.ok(!fixture.near.capabilities.lanes.includes(lanes.media));
    const sent = near.send({ lane: lanes.media, body: new Uint8Array(1) });
    await assert.rejects(sent, { code: "invalid_argument" });
  });

  it("keeps the order of 5,000 frames in each direction at once", limit, async () => {
    await using fixture = await open();
    const { near, far } = await linkPair(fixture);
    const count = 5_000;
    const [there, back] = [take(far, count), take(near, count)];
    for (let index = 0; index < count; index++) {
      void near.send(numbered(index));
      void far.send(numbered(index));
    }
    for (const frames of await Promise.all([there, back])) {
      assert.ok(frames.every((frame, index) => numberOf(frame) === index));
      assert.equal(frames.length, count);
    }
  });

  it("carries 20,000 small frames, each send awaited", limit, async () => {
    await using fixture = await open();
    const { near, far } = await linkPair(fixture);
    const received = take(far, 20_000);
    for (let index = 0; index < 20_000; index++) await near.send(numbered(index));
    assert.equal((await received).length, 20_000);
  });

  it("carries 100 frames of 64 KB", limit, async () => {
    await using fixture = await open();
    const { near, far } = await linkPair(fixture);
    const received = take(far, 100);
    for (let index = 0; index < 100; index++) await near.send(sized(65_536));
    for (const { body } of await received) {
      assert.equal(body.length, 65_536);
      assert.ok(body[0] === 7 && body.at(-1) === 7);
    }
  });

  it("carries a body of the longest size and refuses one byte more", limit, async () => {
    await using fixture = await open();
    const { near, far } = await linkPair(fixture);
    const { maxBodyBytes } = fixture.near.capabilities;
    await assert.rejects(near.send(sized(maxBodyBytes + 1)), { code: "invalid_argument" });
    const received = take(far, 1);
    await near.send(sized(maxBodyBytes));
    assert.equal((await received)[0]?.body.length, maxBodyBytes);
  });

  it("drops messages that are no frames and goes on", limit, async () => {
    await using fixture = await open();
    const accepted = new Accepted();
    await listen(fixture, accepted);
    const malformed = [[1, 0, 0], [99, 0, 0, 0, 0], [0, 0, 0, 0, 5, 0x68, 0x69], []];
    await fixture.sendRaw(
      malformed.map((bytes) => Uint8Array.from(bytes)),
      numbered(9),
    );
    assert.deepEqual((await take(await accepted.at(0), 1)).map(numberOf), [9]);
  });
}

function pressing(open: Open): void {
  it("holds the sender back while nobody reads, and loses nothing", limit, async (t) => {
    await using fixture = await open();
    if (!fixture.pushesBack) return t.skip("this runtime cannot stop reading");
    const { near, far } = await linkPair(fixture);
    const count = 400;
    let resolved = 0;
    const sending = (async () => {
      for (let sent = 0; sent < count; sent++, resolved++) await near.send(sized(65_536));
    })();
    for (let turns = 0; turns < 100; turns++) await turn();
    assert.ok(resolved < count, "every send resolved though nobody reads");
    assert.ok(near.bufferedBytes < 2 * 1024 * 1024, `${near.bufferedBytes} bytes wait`);
    assert.equal((await take(far, count)).length, count);
    await sending;
  });

  it("aborts a wait for room, and the link lives on", limit, async (t) => {
    await using fixture = await open();
    if (!fixture.pushesBack) return t.skip("this runtime cannot stop reading");
    const { near, far } = await linkPair(fixture);
    const abort = new AbortController();
    const sends: Promise<void>[] = [];
    for (let sent = 0; sent < 400; sent++) {
      sends.push(near.send(sized(65_536), { signal: abort.signal }));
    }
    const outcome = Promise.allSettled(sends);
    await turn();
    abort.abort(new Error("enough"));
    assert.equal((await outcome).at(-1)?.status, "rejected");
    await assert.rejects(near.send(numbered(1), { signal: abort.signal }), /enough/);
    const frames = take(far, 401);
    await near.send(numbered(2));
    assert.equal(numberOf((await frames)[400] ?? numbered(0)), 2);
  });

  it("refuses to buffer without end for a peer that does not read", limit, async (t) => {
    await using fixture = await open();
    if (!fixture.pushesBack) return t.skip("this runtime cannot stop reading");
    const { near } = await linkPair(fixture);
    let refused: unknown;
    for (let sent = 0; sent < 100 && refused === undefined; sent++) {
      near.send(sized(1_048_576)).catch((error: unknown) => {
        refused ??= error;
      });
      await turn();
    }
    assert.equal((refused as { code?: string } | undefined)?.code, "overloaded");
    assert.ok(near.bufferedBytes < 70 * 1024 * 1024);
  });
}

function ending(open: Open): void {
  for (const closer of ["near", "far"] as const) {
    const other = closer === "near" ? "far" : "near";
    it(
      `tells both ends when the ${closer} one closes; what was sent before arrives`,
      limit,
      async () => {
        await using fixture = await open();
        const links = await linkPair(fixture);
        void links[closer].send(numbered(1));
        const closing = links[closer].close("had enough");
        await assert.rejects(links[closer].send(numbered(2)), { code: "unavailable" });
        assert.deepEqual((await take(links[other], 9)).map(numberOf), [1]);
        assert.deepEqual(await links[closer].closed, { by: "local", reason: "had enough" });
        assert.deepEqual(await links[other].closed, { by: "remote", reason: "had enough" });
        assert.deepEqual(await take(links[closer], 1), []);
        await assert.rejects(links[other].send(numbered(3)), { code: "unavailable" });
        await Promise.all([closing, links[closer].close("again"), links[other].close("too")]);
      },
    );
  }

  it("tells both ends that the network failed, and ends their frames", limit, async () => {
    await using fixture = await open();
    const { near, far } = await linkPair(fixture);
    await near.send(numbered(1));
    const frames = take(near, 1);
    assert.deepEqual((await take(far, 1)).map(numberOf), [1]);
    fixture.drop();
    assert.equal((await near.closed).by, "lost");
    assert.equal((await far.closed).by, "lost");
    assert.deepEqual([await frames, await take(far, 1)], [[], []]);
    await assert.rejects(near.send(numbered(2)), { code: "unavailable" });
  });

  it("releases a send that waits for room when the link goes", limit, async () => {
    await using fixture = await open();
    const { near } = await linkPair(fixture);
    const sends: Promise<void>[] = [];
    for (let sent = 0; sent < 200; sent++) sends.push(near.send(sized(65_536)));
    fixture.drop();
    await Promise.allSettled(sends);
    assert.equal((await near.closed).by, "lost");
  });

  it("forces a close that the other end does not answer", limit, async () => {
    await using fixture = await open();
    const { near } = await linkPair(fixture);
    fixture.freeze();
    const closing = near.close("nobody home");
    await fixture.advance(1_000);
    await closing;
    assert.deepEqual(await near.closed, { by: "local", reason: "nobody home" });
  });

  it("forces a close within the time that it was given", limit, async () => {
    await using fixture = await open();
    const { near } = await linkPair(fixture);
    fixture.freeze();
    const closing = near.close("in haste", { withinMs: 200 });
    await fixture.advance(200);
    await closing;
  });
}

function keepingAlive(open: Open): void {
  it("evicts a peer from which nothing comes for two intervals, on both sides", limit, async () => {
    await using fixture = await open();
    const { near, far } = await linkPair(fixture);
    fixture.freeze();
    await fixture.advance(3 * interval);
    for (const link of [near, far]) {
      const { by, reason } = await link.closed;
      assert.equal(by, "lost");
      assert.match(reason, /30000 ms/);
    }
  });

  it("keeps an idle link whose peer answers", limit, async () => {
    await using fixture = await open();
    const { near, far } = await linkPair(fixture);
    for (let round = 0; round < 8; round++) await fixture.advance(interval);
    await near.send(numbered(4));
    assert.deepEqual((await take(far, 1)).map(numberOf), [4]);
  });
}
