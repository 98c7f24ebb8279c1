import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { fragmentHeaderBytes, writeFragment } from "../../../src/protocol/fragment.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { ChannelBeginning } from "../../../transports/webrtc/channel_beginning.ts";
import { collect, linkPair } from "./webrtc_support.ts";

/** A beginning, and the messages that it gave on, each as `id` or `id.index`. */
function rig() {
  const clock = new FakeClock();
  const given: string[] = [];
  const deliver = (message: Uint8Array): void => {
    given.push(new TextDecoder().decode(message.subarray(fragmentHeaderBytes)));
  };
  const beginning = new ChannelBeginning({ clock, deliver });
  const receive = (...names: readonly (string | number)[]): void => {
    for (const name of names) beginning.receive(message(String(name)));
  };
  return { clock, given, beginning, receive };
}

/** `7` is message 7, `7.1/3` the second of its three fragments. */
function message(name: string, bytes = name.length): Uint8Array {
  const [, id, index = 0, total = 1] = /^(\d+)(?:\.(\d+)\/(\d+))?$/.exec(name) ?? [];
  const slice = new Uint8Array(bytes);
  slice.set(new TextEncoder().encode(name).subarray(0, bytes));
  const target = new Uint8Array(fragmentHeaderBytes + bytes);
  writeFragment(target, Number(id), Number(index), Number(total), slice);
  return target;
}

describe("the beginning of a channel", () => {
  for (const [what, came, sent] of [
    ["nothing", [0, 1, 2], "0 1 2"],
    ["what came next first", [3, 4, 0, 1, 2, 5], "0 1 2 3 4 5"],
    ["one among what came before", [0, 3, 1, 4, 2, 5], "0 1 2 3 4 5"],
    ["a message in the middle", ["0.1/2", "1", "0.0/2", "2"], "0.0/2 0.1/2 1 2"],
    ["one that came twice", [0, 1, 0, 3, 2], "0 1 0 2 3"],
  ] as const) {
    it(`gives messages on in the order in which they were sent, turned round: ${what}`, () => {
      const { clock, given, receive } = rig();
      receive(...came);
      assert.deepEqual(given.join(" "), sent);
      assert.equal(clock.pending, 0);
    });
  }

  it("gives up after 200 ms, and then sorts no more", async () => {
    const { clock, given, receive } = rig();
    receive(7, 9);
    await clock.advance(199);
    assert.deepEqual(given, []);
    await clock.advance(1);
    assert.deepEqual(given, ["7", "9"]);
    receive(12, 8);
    assert.deepEqual(given, ["7", "9", "12", "8"]);
    assert.equal(clock.pending, 0);
  });

  it("is over 200 ms after the first message", async () => {
    const { clock, given, receive } = rig();
    receive(0);
    await clock.advance(201);
    receive(1, 5, 3);
    assert.deepEqual(given, ["0", "1", "5", "3"]);
  });

  it("waits anew for what came too early a second time", async () => {
    const { clock, given, receive } = rig();
    receive(1);
    await clock.advance(150);
    receive(0, 3);
    await clock.advance(150);
    assert.deepEqual(given, ["0", "1"]);
    receive(2);
    assert.deepEqual(given, ["0", "1", "2", "3"]);
  });

  it("holds no more than 4 MiB back", () => {
    const { given, beginning } = rig();
    for (let id = 1; id <= 3; id++) beginning.receive(message(String(id), 1_048_576));
    assert.equal(given.length, 0);
    beginning.receive(message("4", 1_048_576));
    assert.equal(given.length, 4);
  });

  it("counts what messages cost beside their bytes", () => {
    const { given, beginning } = rig();
    for (let id = 1; id <= 60_000; id++) beginning.receive(message(String(id), 0));
    assert.equal(given.length, 60_000);
  });

  it("lets pass what is no fragment", () => {
    const { given, beginning } = rig();
    beginning.receive(new Uint8Array(3));
    beginning.receive(Uint8Array.of(0, 0, 0, 1, 0, 2, 0, 2, 65));
    assert.deepEqual(given, ["", "A"]);
  });

  it("forgets what waits when the channel ends", async () => {
    const { clock, given, beginning, receive } = rig();
    receive(1);
    beginning.end();
    await clock.advance(1_000);
    assert.deepEqual([given, clock.pending], [[], 0]);
  });
});

describe("WebRTC link: numbers of messages", () => {
  it("ascend in the order of leaving: what was withdrawn has none", async () => {
    const { clock, world, near, far, channel } = await linkPair();
    const received = collect(far.frames);
    world.freeze(true);
    const lane = lanes.rpcReliable;
    const body = (first: number): Uint8Array => new Uint8Array(60_000).fill(first);
    const sent = Array.from({ length: 20 }, (_, at) => near.send({ lane, body: body(at) }));
    const withdrawal = new AbortController();
    const withdrawn = near.send({ lane, body: body(99) }, { signal: withdrawal.signal });
    const last = near.send({ lane, body: body(100) });
    withdrawal.abort();
    await assert.rejects(withdrawn);
    world.freeze(false);
    await Promise.all([...sent, last]);
    await clock.settle();
    assert.deepEqual(
      received.map((frame) => frame.body[0]),
      [...sent.keys(), 100],
    );
    const ids = channel(lane).sent.map((message) => new DataView(message.buffer).getUint32(0));
    assert.deepEqual(ids, [...Array(21).keys()]);
  });

  it("let what is urgent go first while a channel is full", async () => {
    const { clock, world, near, far, channel } = await linkPair();
    const lane = lanes.streamReliable;
    world.freeze(true);
    const body = new Uint8Array(60_000);
    const sent = Array.from({ length: 20 }, () => near.send({ lane, body }));
    // The peer stops reading calls: this side asks it to pause, on the lane of the chunks.
    for (let count = 0; count < 80; count++) {
      void far.send({ lane: lanes.rpcReliable, body }).catch(() => {});
    }
    world.freeze(false);
    await Promise.all(sent);
    await clock.settle();
    const ids = channel(lane).sent.map((message) =>
      new DataView(message.buffer, message.byteOffset).getUint32(0),
    );
    assert.ok(ids.length > 20, "a pause has left");
    assert.deepEqual(ids, [...ids.keys()]);
  });
});
