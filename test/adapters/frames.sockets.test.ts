import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Frames } from "../../adapters/node/frames.ts";

/** What a frame of a server says, by RFC 6455 §5.2. */
function read(frame: Uint8Array) {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const short = view.getUint8(1);
  const [length, at] =
    short === 126
      ? [view.getUint16(2), 4]
      : short === 127
        ? [Number(view.getBigUint64(2)), 10]
        : [short, 2];
  return { first: view.getUint8(0), short, length, payload: frame.subarray(at) };
}

/** A length, and the form that its header has to have. */
const lengths = [
  [0, 0],
  [1, 1],
  [125, 125],
  [126, 126],
  [65_535, 126],
  [65_536, 127],
  [300_000, 127],
] as const;

describe("frames of a server", () => {
  it("say how long a text is, in bytes", () => {
    const frames = new Frames();
    for (const [length, short] of lengths) {
      const frame = read(frames.text("x".repeat(length)));
      assert.deepEqual([frame.first, frame.short, frame.length], [0x81, short, length]);
      assert.equal(new TextDecoder().decode(frame.payload), "x".repeat(length));
    }
    const { length, payload } = read(frames.text("größe 🐓"));
    assert.equal(length, 12);
    assert.equal(new TextDecoder().decode(payload), "größe 🐓");
  });

  it("say how long bytes are, and do not copy many", () => {
    const frames = new Frames();
    for (const [length, short] of lengths) {
      const data = Uint8Array.from({ length }, (_, n) => n);
      const parts = frames.binary(data);
      const frame = read(Buffer.concat(parts));
      assert.deepEqual([frame.first, frame.short, frame.length], [0x82, short, length]);
      assert.deepEqual(Uint8Array.from(frame.payload), data);
      assert.equal(parts.includes(data), length > 4_096);
    }
  });

  it("are made once for a text that many are told", () => {
    const frames = new Frames();
    const frame = frames.text("one");
    assert.equal(frames.text("one"), frame);
    assert.notEqual(frames.text("two"), frame);
    assert.equal(new TextDecoder().decode(read(frames.text("one")).payload), "one");
  });
});
