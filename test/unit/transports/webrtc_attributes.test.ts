import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Link } from "../../../src/ports/transport.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import {
  readRoostAttributes,
  withRoostAttributes,
} from "../../../transports/webrtc/roost_attributes.ts";
import { linkPair } from "./webrtc_support.ts";
import { type WebRtcNode, WebRtcWorld } from "./webrtc_world.ts";

describe("what a Roost node tells of itself in its descriptions", () => {
  it("stands behind all else, and is read again", () => {
    for (const sdp of ["v=0\r\ns=-\r\n", "v=0\r\ns=-"]) {
      const marked = withRoostAttributes(sdp);
      assert.equal(marked, "v=0\r\ns=-\r\na=roost-beat:1\r\na=roost-message:131072\r\n");
      assert.deepEqual(readRoostAttributes(marked), { beats: true, maxMessageBytes: 131_072 });
      assert.deepEqual(readRoostAttributes(sdp), { beats: false, maxMessageBytes: 65_535 });
    }
  });

  it("is used within bounds, whatever it says", () => {
    for (const [said, used] of [
      ["0", 65_535],
      ["70000", 70_000],
      ["99999999999", 131_072],
      ["many", 65_535],
    ] as const) {
      assert.equal(readRoostAttributes(`v=0\na=roost-message:${said}\n`).maxMessageBytes, used);
    }
  });

  it("a peer that reads longer messages gets them, as far as its stack takes them", async () => {
    const { clock, near, far, channel } = await linkPair({ network: { maxMessageBytes: 262_144 } });
    near.peerTakes(131_072);
    const lane = lanes.rpcReliable;
    const sizes = (): number[] =>
      channel(lane)
        .sent.splice(0)
        .map(({ length }) => length);
    for (const [bytes, expected] of [
      [131_064, [131_072]],
      [131_065, [131_072, 9]],
      [65_600, [65_608]],
    ] as const) {
      await near.send({ lane, body: new Uint8Array(bytes).fill(7) });
      await clock.settle();
      assert.deepEqual(sizes(), expected);
      assert.equal(far.frames.poll()?.body.length, bytes);
    }
    Object.defineProperty(channel(lane), "maxMessageBytes", { value: 70_000 });
    await near.send({ lane, body: new Uint8Array(100_000) });
    assert.deepEqual(sizes(), [70_000, 30_016]);
  });

  it("both sides of a new connection go by it; a peer that says nothing gets what Actr peers read", async () => {
    const world = new WebRtcWorld();
    const { link, back, one, other } = await world.linked(100, 200);
    assert.equal(await longest(link, one), 100_008);
    assert.equal(await longest(back, other), 100_008);
    const plain = new WebRtcWorld();
    plain.server.delay = ({ payload }) => {
      if (payload.case === "sessionDescription")
        payload.value.sdp = payload.value.sdp.replace(/a=roost-message:\d+\r\n/, "");
      return 0;
    };
    const ends = await plain.linked(100, 200);
    assert.equal(await longest(ends.link, ends.one), 65_535);
    assert.equal(await longest(ends.back, ends.other), 65_535);
  });
});

/** The longest message in which a node sends 100,000 bytes. */
async function longest(link: Link, { stack }: WebRtcNode): Promise<number> {
  let most = 0;
  for (const channel of stack.last.channels) {
    Object.defineProperty(channel, "maxMessageBytes", { value: 262_144 });
    const send = channel.send.bind(channel);
    channel.send = (data) => {
      most = Math.max(most, data.length);
      send(data);
    };
  }
  await link.send({ lane: lanes.rpcReliable, body: new Uint8Array(100_000) });
  return most;
}
