import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import type { Link } from "../../../src/ports/transport.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { readBeatChunk } from "../../../transports/webrtc/beat_chunk.ts";
import { LaneSender } from "../../../transports/webrtc/lane_sender.ts";
import { pauseChunk, readPauseChunk } from "../../../transports/webrtc/pause_chunk.ts";
import { ChannelWorld } from "./channel_world.ts";
import { linkPair } from "./webrtc_support.ts";
import { passes, type WebRtcNode, WebRtcWorld } from "./webrtc_world.ts";

const heartbeatMs = 5_000;

/** What a link says of itself, in order. */
function tellings(link: Link): boolean[] {
  const told: boolean[] = [];
  link.onWorking?.((works) => void told.push(works));
  return told;
}

/** The peer's process goes on, and with it everything but its answers. */
function mute({ stack }: WebRtcNode): void {
  for (const channel of stack.last.channels) channel.send = () => {};
}

/** Both ends send now and then. */
async function chat(clock: FakeClock, link: Link, back: Link, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    assert.equal(await passes(clock, link, back), true);
    assert.equal(await passes(clock, back, link), true);
    await clock.advance(1_000);
  }
}

describe("WebRTC heartbeat", () => {
  it("finds a blackhole within one heartbeat, though the stack has noticed nothing, and its end", async () => {
    const { clock, paths, ...world } = await connected();
    const [told, back] = [tellings(world.link), tellings(world.back)];
    await clock.advance(60_000);
    assert.deepEqual([told, back], [[], []], "idle is not dead");
    paths.blackhole = true;
    await clock.advance(heartbeatMs);
    assert.deepEqual([told, back], [[false], [false]]);
    paths.blackhole = false;
    await clock.advance(heartbeatMs / 2);
    assert.deepEqual(
      [told, back],
      [
        [false, true],
        [false, true],
      ],
    );
    assert.equal(await passes(clock, world.link, world.back), true);
  });

  it("gives up a half-open connection after five heartbeats", async () => {
    const { clock, link, other } = await connected();
    const told = tellings(link);
    mute(other);
    await clock.advance(heartbeatMs);
    assert.deepEqual(told, [false]);
    await clock.advance(4 * heartbeatMs - 1);
    let end: unknown;
    void link.closed.then((closed) => {
      end = closed;
    });
    await clock.settle();
    assert.equal(end, undefined);
    await clock.advance(heartbeatMs);
    assert.deepEqual(end, { by: "lost", reason: "the peer answers no heartbeat" });
  });

  it("leaves a connection without path to the stack and its mending", async () => {
    const { clock, paths, link, back } = await connected();
    paths.open = false;
    await clock.advance(8 * heartbeatMs);
    paths.open = true;
    await clock.advance(2 * heartbeatMs);
    assert.equal(await passes(clock, link, back), true);
  });

  it("asks nothing while the peer is heard anyway", async () => {
    const { clock, link, back, one, other } = await connected();
    const told = tellings(link);
    const asked = [beatsOf(one), beatsOf(other)];
    await chat(clock, link, back, 20_000);
    assert.deepEqual(asked, [[], []]);
    assert.deepEqual(told, []);
  });

  it("asks after half a heartbeat of silence, and measures how long the answer takes", async () => {
    const { clock, link, one, other } = await connected();
    const [near, far] = [beatsOf(one), beatsOf(other)];
    await clock.advance(heartbeatMs / 2 - 1);
    assert.deepEqual([near, far], [[], []]);
    await clock.advance(1);
    assert.deepEqual([near, far], [["ask 1"], ["answer 1"]]);
    assert.equal(link.figures?.rttMs, 0);
  });

  it("runs one timer for all links, and none without", async () => {
    const world = new WebRtcWorld();
    const hub = await world.node(1);
    const others = await Promise.all([2, 3, 4].map((serial) => world.node(serial)));
    const before = world.clock.pending;
    const dials = others.map((other) => hub.dial(other));
    await world.clock.settle();
    const links = await Promise.all(dials.map(({ link }) => link));
    assert.equal(world.clock.pending - before, 4, "one per node");
    const closed = links.map((link) => link.close("done"));
    await world.clock.advance(10_000);
    await Promise.all(closed);
    await world.clock.settle();
    assert.equal(world.clock.pending, before);
  });

  it("sends nothing to a peer that does not say it answers, and trusts its stack", async () => {
    const world = new WebRtcWorld();
    world.server.delay = ({ payload }) => {
      if (payload.case === "sessionDescription") {
        payload.value.sdp = payload.value.sdp.replace(/a=roost-beat:1\r\n/, "");
      }
      return 0;
    };
    const { link, one, other } = await world.linked(100, 200);
    const told = tellings(link);
    const asked = [beatsOf(one), beatsOf(other)];
    world.paths.blackhole = true;
    await world.clock.advance(60_000);
    assert.deepEqual([asked, told], [[[], []], []]);
  });

  it("takes a backlog that gets shorter for a sign of life", async () => {
    const settings = { network: { bytesPerTurn: 1_000 } };
    const { clock, near, world } = await linkPair(settings);
    const told = tellings(near);
    near.watch({ add: () => {}, remove: () => {} } as never);
    void near.send({ lane: lanes.streamReliable, body: new Uint8Array(900_000) }).catch(() => {});
    for (let sweep = 0; sweep < 8; sweep++) {
      near.sweep();
      await clock.settle();
    }
    assert.deepEqual(told, []);
    world.freeze(true);
    for (let sweep = 0; sweep < 5; sweep++) {
      near.sweep();
      await clock.settle();
    }
    assert.deepEqual(told, [false]);
  });

  it("keeps a request to pause and a beat that wait for the same channel, and the newest of each kind", async () => {
    const clock = new FakeClock();
    const { near } = new ChannelWorld(clock);
    const sender = new LaneSender({ lane: lanes.streamReliable, clock, channelTimeoutMs: 1_000 });
    for (const [kind, mark] of [
      ["pause", 1],
      ["ask", 2],
      ["pause", 3],
    ] as const) {
      sender.sendUrgently(kind, Uint8Array.of(mark));
    }
    const channel = near.createChannel("stream");
    sender.assign(channel);
    near.change("connected");
    channel.opened();
    sender.pump();
    assert.deepEqual(
      channel.sent.map((message) => message.at(-1)),
      [3, 2],
    );
  });

  it("tells its chunks from all others", () => {
    assert.equal(readBeatChunk(pauseChunk([])), undefined);
    assert.deepEqual(readPauseChunk(pauseChunk([lanes.rpcSignal])), [lanes.rpcSignal]);
  });
});

async function connected() {
  const world = new WebRtcWorld();
  const ends = await world.linked(100, 200);
  return { ...ends, clock: world.clock, paths: world.paths };
}

/** The beats that a node sends from now on. */
function beatsOf({ stack }: WebRtcNode): string[] {
  const beats: string[] = [];
  for (const channel of stack.last.channels) {
    const send = channel.send.bind(channel);
    channel.send = (data) => {
      const beat = readBeatChunk(data.subarray(8));
      if (beat !== undefined) beats.push(`${beat.kind} ${beat.number}`);
      send(data);
    };
  }
  return beats;
}
