import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { dataChunkFrame, encodeDataChunk } from "../../../src/protocol/data_chunk.ts";
import {
  directions,
  encodeEnvelope,
  envelopeFrame,
  type RpcEnvelope,
} from "../../../src/protocol/envelope.ts";
import { encodeFrame, lanes } from "../../../src/protocol/frame.ts";
import { borrow, borrowWithRoom, loanOf, widen } from "../../../src/protocol/frame_buffers.ts";
import { decode, encodeForFrame } from "../../../src/protocol/schema.ts";
import { methodCodecs } from "../../../src/protocol/service.ts";
import { ProbeService } from "../../fixtures/probe_pb.ts";

const { output } = ProbeService.method.echo;
const kept = 4_194_304;

/** Takes all that is kept of the length that `size` bytes need, so that tests do not meet buffers of others. */
function empty(size: number): void {
  const buffers = Array.from({ length: kept / size + 1 }, () => borrow(size).buffer);
  assert.equal(new Set(buffers).size, buffers.length, "no buffer is lent twice");
}

function giveBack(bytes: Uint8Array): void {
  loanOf(bytes)?.release();
}

function answer(payload: Uint8Array, more: Partial<RpcEnvelope> = {}): RpcEnvelope {
  const { response: direction } = directions;
  const fields = { requestId: "r", metadata: [], timeoutMs: 0, direction };
  return { routeKey: "probe.ProbeService.Echo", payload, ...fields, ...more };
}

/** An encoded answer with `length` bytes of its own. */
function encoded(length: number): Uint8Array<ArrayBuffer> {
  return encodeForFrame(output, { data: new Uint8Array(length).map((_, at) => at * 7) });
}

describe("buffers of large frames", () => {
  beforeEach(() => {
    for (const size of [32_768, 65_536, 81_920]) empty(size);
  });

  it("are lent again once they were given back, to frames of similar length", () => {
    const first = borrow(60_000);
    assert.equal(first.length, 60_000);
    assert.notEqual(borrow(60_000).buffer, first.buffer, "it is in use");
    giveBack(first.subarray(0, 59_000));
    assert.notEqual(borrow(32_768).buffer, first.buffer, "the other length");
    assert.equal(borrow(65_536).buffer, first.buffer);
  });

  it("are taken back once, and only what was lent", () => {
    const first = borrow(60_000);
    giveBack(first);
    giveBack(first);
    assert.equal(borrow(60_000).buffer, first.buffer);
    assert.notEqual(borrow(60_000).buffer, first.buffer);
    const own = new Uint8Array(65_536);
    giveBack(own);
    assert.notEqual(borrow(65_536).buffer, own.buffer);
    const shortest = borrow(16_384);
    giveBack(shortest);
    assert.equal(borrow(16_384).buffer, shortest.buffer);
    const short = borrow(60_000).subarray(0, 16_383);
    giveBack(short);
    assert.notEqual(borrow(60_000).buffer, short.buffer, "a part that is not large itself");
  });

  it("are kept up to 4 MiB, none that is longer than 1 MiB", () => {
    const long = borrow(1_048_577);
    giveBack(long);
    assert.notEqual(borrow(1_048_577).buffer, long.buffer);
    const many = Array.from({ length: 6 }, () => borrow(1_048_576));
    for (const each of many) giveBack(each);
    const again = many.map(() => borrow(1_048_576).buffer);
    assert.equal(again.filter((buffer) => many.some((each) => each.buffer === buffer)).length, 4);
  });

  it("have room for an envelope once, if they were lent with it", () => {
    const bytes = borrowWithRoom(20_000);
    assert.equal(widen(bytes, 513, 0), undefined);
    assert.equal(widen(bytes, 0, 513), undefined);
    const wide = widen(bytes, 512, 512);
    assert.deepEqual([wide?.buffer, wide?.byteOffset, wide?.length], [bytes.buffer, 0, 21_024]);
    assert.equal(widen(bytes, 1, 1), undefined, "it is taken");
    const full = 32_768 - 512;
    assert.equal(widen(borrowWithRoom(full), 512, 512)?.length, full + 1_024, "room on both sides");
    assert.equal(widen(borrow(20_000), 0, 0), undefined, "it was lent without");
    assert.equal(widen(borrowWithRoom(20_000).subarray(0, 9), 1, 1), undefined, "a part");
  });
});

describe("a large answer", () => {
  it("becomes a frame where it was encoded, with the bytes of any other envelope", () => {
    const payload = encoded(65_536);
    const expected = encodeEnvelope(answer(payload.slice()));
    const { body, message } = envelopeFrame(lanes.rpcReliable, answer(payload));
    assert.deepEqual(body, expected);
    assert.equal(body.buffer, payload.buffer, "nothing was copied");
    assert.deepEqual(message, encodeFrame({ lane: lanes.rpcReliable, body: expected }));
    assert.deepEqual(decode(output, payload), create(output, { data: encodedData(65_536) }));
  });

  it("is copied into a second frame, and where its envelope is too long for the room", () => {
    const payload = encoded(40_000);
    const [first, second] = [1, 2].map(() => envelopeFrame(lanes.rpcReliable, answer(payload)));
    assert.deepEqual(second?.body, first?.body);
    assert.notEqual(second?.body.buffer, payload.buffer);
    const wordy = { metadata: [{ key: "k", value: "v".repeat(600) }] };
    const other = encoded(40_000);
    const frame = envelopeFrame(lanes.rpcReliable, answer(other, wordy));
    assert.notEqual(frame.body.buffer, other.buffer);
    assert.deepEqual(frame.body, encodeEnvelope(answer(other.slice(), wordy)));
  });

  it("has room; a request has none, since it goes to another node when the first is not there any more", () => {
    const [codec] = methodCodecs(ProbeService);
    assert.ok(codec !== undefined);
    const message = { data: encodedData(20_000) };
    const inPlace = [codec.encodeResponse(message), codec.encodeRequest(message)].map(
      (payload) => envelopeFrame(lanes.rpcReliable, answer(payload)).body.buffer === payload.buffer,
    );
    assert.deepEqual(inPlace, [true, false]);
  });

  it("is copied also where it lies as deep in another buffer as in the frame, and elsewhere in the same", () => {
    const own = encodeEnvelope(answer(new Uint8Array(20_000)));
    const before = own.length - 20_000;
    for (let offset = 0; offset <= before + 5; offset++) {
      const payload = new Uint8Array(20_100).fill(7).subarray(offset, offset + 20_000);
      const { body } = envelopeFrame(lanes.rpcReliable, answer(payload));
      assert.deepEqual(body, encodeEnvelope(answer(payload.slice())));
    }
    const small = encodeEnvelope(answer(Uint8Array.of(7)));
    assert.deepEqual(encodeEnvelope(answer(small)), encodeEnvelope(answer(small.slice())));
  });

  it("is a chunk of a stream in the same way", () => {
    const payload = encoded(30_000);
    const chunk = { streamId: "s", sequence: 5_000_000_000n, metadata: [], timestampMs: 7 };
    const expected = encodeDataChunk({ ...chunk, payload: payload.slice() });
    const { body, message } = dataChunkFrame(lanes.streamReliable, { ...chunk, payload });
    assert.deepEqual(body, expected);
    assert.equal(body.buffer, payload.buffer);
    assert.deepEqual(message, encodeFrame({ lane: lanes.streamReliable, body: expected }));
  });
});

function encodedData(length: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => at * 7);
}
