import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Link } from "../../../src/ports/transport.ts";
import { type Frame, lanes } from "../../../src/protocol/frame.ts";
import { localLinks } from "../../../src/session/local_link.ts";
import { peerId } from "./support.ts";

const frameOf = (bytes: number): Frame => ({
  lane: lanes.rpcReliable,
  body: new Uint8Array(bytes),
});

const mebibyte = 1024 * 1024;

/** Reads `count` frames. */
async function read(link: Link, count: number): Promise<number[]> {
  const lengths: number[] = [];
  for await (const frame of link.frames) {
    lengths.push(frame.body.length);
    if (lengths.length === count) break;
  }
  return lengths;
}

describe("the link of a node to itself", () => {
  it("brings frames to the other end, in order and both ways", async () => {
    const [near, far] = localLinks(peerId(1));
    await near.send(frameOf(1));
    await near.send(frameOf(2));
    await far.send(frameOf(3));
    assert.deepEqual([await read(far, 2), await read(near, 1)], [[1, 2], [3]]);
  });

  it("ends at both ends, each told who ended it; what was sent before can be read", async () => {
    const [near, far] = localLinks(peerId(1));
    await near.send(frameOf(7));
    await near.close("done");
    assert.deepEqual(await near.closed, { by: "local", reason: "done" });
    assert.deepEqual(await far.closed, { by: "remote", reason: "done" });
    assert.deepEqual(await read(far, 1), [7]);
    assert.deepEqual(await read(near, 1), []);
    await assert.rejects(near.send(frameOf(1)), { code: "unavailable" });
    await assert.rejects(far.send(frameOf(1)), { code: "unavailable" });
  });

  it("holds its sender back until the other end has read, its signal is aborted, or it closes", async () => {
    const [near, far] = localLinks(peerId(1));
    let sent = false;
    const held = near.send(frameOf(2 * mebibyte)).then(() => {
      sent = true;
    });
    const abort = new AbortController();
    const aborted = near.send(frameOf(1), { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(aborted, /enough/);
    assert.equal(sent, false);
    assert.equal(near.bufferedBytes > 2 * mebibyte, true);
    await read(far, 2);
    await held;
    assert.equal(near.bufferedBytes, 0);
    const last = near.send(frameOf(2 * mebibyte));
    await far.close("done");
    await last;
  });

  it("refuses what would be too much", async () => {
    const [near] = localLinks(peerId(1));
    for (let count = 0; count < 4; count += 1) void near.send(frameOf(16 * mebibyte));
    await assert.rejects(near.send(frameOf(1)), { code: "overloaded", retryAfterMs: 100 });
  });
});
