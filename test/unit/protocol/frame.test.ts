import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex, utf8 } from "../../../src/protocol/bytes.ts";
import { decodeFrame, encodeFrame, lanes } from "../../../src/protocol/frame.ts";
import { hex } from "./support.ts";

describe("WebSocket frame", () => {
  it("is header and body (spec/transport.md §15)", () => {
    const hello = encodeFrame({ lane: lanes.rpcReliable, body: utf8("hello world") });
    assert.equal(toHex(hello), "000000000b68656c6c6f20776f726c64");
    const chunk = encodeFrame({ lane: lanes.streamReliable, body: hex("0a02733110071a03010203") });
    assert.equal(toHex(chunk), "020000000b0a02733110071a03010203");
    assert.deepEqual(decodeFrame(hello), { lane: 0, body: utf8("hello world") });
    assert.equal(decodeFrame(hex("010000")), undefined);
    assert.equal(decodeFrame(hex("6300000000")), undefined);
    assert.equal(decodeFrame(hex("00000000056869")), undefined);
    assert.deepEqual(decodeFrame(hex("000000000141ff")), { lane: 0, body: utf8("A") });
  });

  it("does not copy the body that it reads", () => {
    const bytes = hex("000000000141ff");
    const frame = decodeFrame(bytes);
    assert.equal(frame?.body.buffer, bytes.buffer);
  });

  it("takes the length as unsigned", () => {
    assert.equal(decodeFrame(hex("00ffffffff41")), undefined);
  });

  it("carries bodies of every size and each lane", () => {
    for (const length of [0, 1, 255, 256, 1_018, 1_019, 1_020, 8_192, 65_536, 70_000]) {
      const body = new Uint8Array(length).fill(length);
      for (const lane of Object.values(lanes)) {
        assert.deepEqual(decodeFrame(encodeFrame({ lane, body })), { lane, body });
      }
    }
  });

  it("keeps earlier small frames whole while others are written", () => {
    const frames = Array.from({ length: 500 }, (_, i) =>
      encodeFrame({ lane: lanes.rpcSignal, body: new Uint8Array(i % 97).fill(i) }),
    );
    for (const [i, bytes] of frames.entries()) {
      assert.deepEqual(decodeFrame(bytes)?.body, new Uint8Array(i % 97).fill(i));
    }
  });
});
