import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FrameStream } from "../../src/ports/transport.ts";
import { equalBytes } from "../../src/protocol/bytes.ts";
import { lanes } from "../../src/protocol/frame.ts";
import { realLinks } from "../fixtures/webrtc_links.ts";
import { type StackName, stackNames, webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";
import { Prng } from "../unit/protocol/prng.ts";

const limit = { timeout: 60_000 };
const noise = new Prng(11).bytes(1_048_576);

/** Answers every frame with the same body on the same lane. */
async function echo(link: { send: Send }, frames: FrameStream): Promise<void> {
  for await (const frame of frames) void link.send(frame).catch(() => {});
}

type Send = (
  frame: Parameters<import("../../src/ports/transport.ts").Link["send"]>[0],
) => Promise<void>;

async function take(frames: FrameStream, count: number): Promise<Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  if (count === 0) return bodies;
  for await (const { body } of frames) if (bodies.push(body) === count) break;
  return bodies;
}

for (const name of stackNames) {
  const skip = await whyMissing(name);
  if (skip === undefined) describe(`lanes over ${name}`, () => suite(name));
  else it(`lanes over ${name}`, { skip }, () => {});
}

function suite(name: StackName): void {
  for (const [size, flights] of [
    [64, 64],
    [65_536, 64],
    [1_048_576, 8],
  ] as const) {
    it(`echo ${flights} bodies of ${size} bytes in flight, in order`, limit, async () => {
      await using links = await realLinks(await webrtcStacks[name]());
      void echo(links.far, links.far.frames);
      const answers = take(links.near.frames, flights);
      const bodies = Array.from({ length: flights }, (_, index) => {
        const body = noise.slice(0, size);
        body[0] = index;
        return body;
      });
      await Promise.all(bodies.map((body) => links.near.send({ lane: lanes.rpcReliable, body })));
      for (const [index, body] of (await answers).entries()) {
        assert.ok(equalBytes(body, bodies[index] ?? noise), `body ${index} differs`);
      }
    });
  }

  it("a stream that nobody reads holds its sender back while calls pass", limit, async () => {
    await using links = await realLinks(await webrtcStacks[name]());
    void echo(links.far, links.far.frames);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 400; sent++) {
        await links.near.send({ lane: lanes.streamReliable, body: noise.subarray(0, 65_536) });
      }
    })();
    for (let before = -1; before !== sent; ) {
      before = sent;
      await links.near.send({ lane: lanes.rpcReliable, body: noise.subarray(0, 500_000) });
      await take(links.near.frames, 1);
    }
    assert.ok(sent < 200, `${sent} of 400 sends of 64 KB resolved`);
    const [chunks] = links.far.streams;
    assert.equal((await take(chunks as FrameStream, 400)).length, 400);
    await sending;
  });

  it("what was sent before a close arrives", limit, async () => {
    await using links = await realLinks(await webrtcStacks[name]());
    const received = take(links.far.frames, 20);
    for (let count = 0; count < 20; count++) {
      void links.near.send({ lane: lanes.rpcReliable, body: noise.subarray(0, 300_000) });
    }
    await links.near.close("done", { withinMs: limit.timeout });
    assert.equal((await received).length, 20);
    assert.equal((await links.far.closed).by, "remote");
  });
}
