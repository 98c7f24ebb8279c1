import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex, utf8 } from "../../../src/protocol/bytes.ts";
import {
  type DataChunk,
  decodeDataChunk,
  encodeDataChunk,
} from "../../../src/protocol/data_chunk.ts";
import {
  decodeEnvelope,
  directions,
  encodeEnvelope,
  type RpcEnvelope,
} from "../../../src/protocol/envelope.ts";
import { encodeFrame, lanes } from "../../../src/protocol/frame.ts";
import {
  create,
  DataChunkSchema,
  decode,
  encode,
  type MessageOf,
  RpcEnvelopeSchema,
} from "../../../src/protocol/schema.ts";
import { Prng } from "./prng.ts";
import { fragmentsOf, hex, refusal } from "./support.ts";

const route = "echo.EchoService.Echo";
const payload = hex("0a026869");
const head = "0a156563686f2e4563686f536572766963652e4563686f";

const request: RpcEnvelope = {
  routeKey: route,
  payload,
  direction: directions.request,
  requestId: "req-1",
  metadata: [],
  timeoutMs: 30_000,
};
const requestHex = `${head}12040a0268692001b206057265712d31c006b0ea01`;

const cases: readonly (readonly [string, RpcEnvelope])[] = [
  [requestHex, request],
  [
    `${head}12040a0268692002b206057265712d31c00600`,
    { ...request, direction: directions.response, timeoutMs: 0 },
  ],
  [
    `${head}1a1508964e1210556e6b6e6f776e20726f7574653a20782002b206057265712d31c00600`,
    {
      routeKey: route,
      error: { code: 10_006, message: "Unknown route: x" },
      direction: directions.response,
      requestId: "req-1",
      metadata: [],
      timeoutMs: 0,
    },
  ],
  [
    `${head}12040a0268692003b206057265712d32c00600`,
    { ...request, direction: directions.tell, requestId: "req-2", timeoutMs: 0 },
  ],
];

describe("RpcEnvelope", () => {
  it("reads texts for themselves, however much they are like those read before", () => {
    const texts = [
      "axbyc",
      "azbyc",
      "axbyc",
      "",
      "axbéc",
      "axb\u00e9c",
      "axbyc",
      "é",
      "axb\0c",
      "azbyc",
    ];
    for (const routeKey of [...texts, ...texts]) {
      const envelope = {
        routeKey,
        direction: 1,
        requestId: routeKey,
        metadata: [],
        timeoutMs: 0,
      } as const;
      const read = decodeEnvelope(encodeEnvelope(envelope));
      assert.deepEqual([read.routeKey, read.requestId], [routeKey, routeKey]);
    }
  });

  it("is written and read byte for byte (spec/transport.md §15)", () => {
    for (const [bytes, envelope] of cases) {
      assert.equal(toHex(encodeEnvelope(envelope)), bytes);
      assert.deepEqual(decodeEnvelope(hex(bytes)), envelope);
    }
    const [first] = fragmentsOf(hex(requestHex), 0);
    assert.equal(toHex(first ?? new Uint8Array()), `0000000000000001${requestHex}`);
    const frame = encodeFrame({ lane: lanes.rpcReliable, body: hex(requestHex) });
    assert.equal(toHex(frame), `000000002c${requestHex}`);
  });

  it("agrees with protobuf-es on 3,000 random envelopes, both ways", () => {
    const random = new Prng(1);
    for (let i = 0; i < 3_000; i++) {
      const envelope = randomEnvelope(random);
      const bytes = encodeEnvelope(envelope);
      const message = decode(RpcEnvelopeSchema, bytes);
      assert.deepEqual(fromMessage(message), envelope);
      assert.deepEqual(encode(RpcEnvelopeSchema, message), bytes);
      assert.deepEqual(decodeEnvelope(bytes), envelope);
    }
  });

  it("does not copy the payload that it reads", () => {
    const bytes = hex(requestHex);
    assert.equal(decodeEnvelope(bytes).payload?.buffer, bytes.buffer);
  });

  it("tells an absent payload from an empty one", () => {
    const { payload: _, ...bare } = request;
    assert.equal("payload" in decodeEnvelope(encodeEnvelope(bare)), false);
    const empty = { ...bare, payload: new Uint8Array() };
    assert.deepEqual(decodeEnvelope(encodeEnvelope(empty)).payload, new Uint8Array());
  });

  it("reads missing required fields as empty or zero", () => {
    assert.deepEqual(decodeEnvelope(new Uint8Array()), {
      routeKey: "",
      direction: directions.unspecified,
      requestId: "",
      metadata: [],
      timeoutMs: 0,
    });
  });

  it("lets the last of a repeated field win, and merges errors", () => {
    const twice = hex(`${requestHex}0a01782003c00605`);
    assert.deepEqual(decodeEnvelope(twice), {
      ...request,
      routeKey: "x",
      direction: directions.tell,
      timeoutMs: 5,
    });
    const error = decodeEnvelope(hex("1a0508914e12001a03120178")).error;
    assert.deepEqual(error, { code: 10_001, message: "x" });
  });

  it("reads an unknown direction as unspecified", () => {
    assert.equal(decodeEnvelope(hex("2004")).direction, directions.unspecified);
    assert.equal(decodeEnvelope(hex("20ffffffffffffffffff01")).direction, directions.unspecified);
  });

  it("skips unknown fields of every wire type, groups included", () => {
    const unknown = ["2801", "310102030405060708", "3203010203", "3d01020304"];
    const group = "4b10010b0c4c";
    assert.deepEqual(decodeEnvelope(hex(`${unknown.join("")}${group}${requestHex}`)), request);
  });

  it("carries every whole number of milliseconds that a number can hold", () => {
    const { MAX_SAFE_INTEGER: most, MIN_SAFE_INTEGER: least } = Number;
    for (const timeoutMs of [
      0,
      1,
      -1,
      127,
      128,
      2 ** 31,
      2 ** 32,
      -(2 ** 32),
      2 ** 45,
      most,
      least,
    ]) {
      const bytes = encodeEnvelope({ ...request, timeoutMs });
      assert.equal(decodeEnvelope(bytes).timeoutMs, timeoutMs);
      assert.equal(decode(RpcEnvelopeSchema, bytes).timeoutMs, BigInt(timeoutMs));
    }
    assert.equal(decodeEnvelope(hex("c006ffffffffffffffff7f")).timeoutMs, most);
    assert.equal(decodeEnvelope(hex("c00680808080808080808001")).timeoutMs, least);
  });

  it("refuses what is truncated, malformed or not UTF-8", () => {
    for (let length = 1; length < requestHex.length / 2; length++) {
      const part = hex(requestHex).subarray(0, length);
      try {
        decodeEnvelope(part);
      } catch {
        refusal("decode_failure", () => decodeEnvelope(part));
      }
    }
    const bad = [
      "0a05616263", // string longer than the message
      "0a02c328", // invalid UTF-8
      `0a1d${"61".repeat(28)}ff`, // invalid UTF-8, long
      "07", // field 0, wire type 7
      "00", // field 0
      "0e", // wire type 6
      "4c", // end of a group that never began
      "4b", // group without end
      "4b54", // group ended by another
      "4b".repeat(40), // groups nested too deep
      "c006ffffffffffffffffffff01", // varint of eleven bytes
      "3500", // truncated fixed32
      "1a020880", // inner varint that goes on beyond its message
      "1a020a00".slice(0, 6), // inner length beyond the outer end
      "8080808010", // tag above 32 bits
    ];
    for (const bytes of bad) refusal("decode_failure", () => decodeEnvelope(hex(bytes)));
  });

  it("follows nested groups to a bounded depth", () => {
    const nested = (depth: number): Uint8Array =>
      hex("4b".repeat(depth) + "4c".repeat(depth) + requestHex);
    assert.deepEqual(decodeEnvelope(nested(32)), request);
    refusal("decode_failure", () => decodeEnvelope(nested(33)));
    refusal("decode_failure", () => decodeEnvelope(nested(100_000)));
  });

  it("does not let an inner field run over its message", () => {
    // An error of three bytes whose text claims five; the bytes are there, but belong to the envelope.
    refusal("decode_failure", () => decodeEnvelope(hex("1a0312056162636465")));
  });

  it("bounds the metadata that a stranger can make us hold", () => {
    const entry = hex("ba0600");
    const flood = new Uint8Array(entry.length * 1_025);
    for (let i = 0; i < 1_025; i++) flood.set(entry, i * entry.length);
    assert.equal(decodeEnvelope(flood.subarray(entry.length)).metadata.length, 1_024);
    refusal("decode_failure", () => decodeEnvelope(flood));
  });

  it("writes lone surrogates as U+FFFD and keeps a byte order mark", () => {
    const routeKey = "\ufeffa\ud800b\udc00";
    const read = decodeEnvelope(encodeEnvelope({ ...request, routeKey }));
    assert.equal(read.routeKey, "\ufeffa\ufffdb\ufffd");
    assert.equal(decodeEnvelope(encodeEnvelope(read)).routeKey, read.routeKey);
    const marked = encodeEnvelope({ ...request, routeKey: "\ufeffa" });
    assert.equal(decodeEnvelope(marked).routeKey, "\ufeffa");
  });
});

const chunk: DataChunk = {
  streamId: "s1",
  sequence: 7n,
  payload: hex("010203"),
  metadata: [],
};

describe("DataChunk", () => {
  it("is written and read byte for byte (spec/transport.md §15)", () => {
    assert.equal(toHex(encodeDataChunk(chunk)), "0a02733110071a03010203");
    const timed = { ...chunk, timestampMs: 1_700_000_000_000 };
    assert.equal(toHex(encodeDataChunk(timed)), "0a02733110071a030102032880d095ffbc31");
    assert.deepEqual(decodeDataChunk(hex("0a02733110071a03010203")), chunk);
    assert.deepEqual(decodeDataChunk(hex("0a02733110071a030102032880d095ffbc31")), timed);
  });

  it("agrees with protobuf-es on 2,000 random chunks, both ways", () => {
    const random = new Prng(2);
    for (let i = 0; i < 2_000; i++) {
      const value: DataChunk = {
        streamId: random.text(40),
        sequence: random.u64() >> BigInt(random.below(64)),
        payload: random.bytes(random.below(300)),
        metadata: randomMetadata(random),
        ...(random.oneIn(2) ? { timestampMs: randomTime(random) } : {}),
      };
      const bytes = encodeDataChunk(value);
      const message = decode(DataChunkSchema, bytes);
      assert.equal(message.sequence, value.sequence);
      assert.deepEqual(encode(DataChunkSchema, message), bytes);
      assert.deepEqual(decodeDataChunk(bytes), value);
    }
  });

  it("refuses what is malformed", () => {
    refusal("decode_failure", () => decodeDataChunk(hex("0a057331")));
    assert.deepEqual(decodeDataChunk(utf8("")).payload, new Uint8Array());
  });
});

function randomTime(random: Prng): number {
  const magnitude = Number(random.u64() >> BigInt(11 + random.below(52)));
  return random.oneIn(3) ? -magnitude - 1 : magnitude;
}

function randomMetadata(random: Prng): { key: string; value: string }[] {
  if (random.oneIn(2)) return [];
  return Array.from({ length: random.below(4) }, () => ({
    key: random.text(10),
    value: random.text(200),
  }));
}

function randomEnvelope(random: Prng): RpcEnvelope {
  return {
    routeKey: random.text(40),
    direction: random.pick(Object.values(directions)),
    requestId: random.text(150),
    metadata: randomMetadata(random),
    timeoutMs: randomTime(random),
    ...(random.oneIn(3) ? {} : { payload: random.bytes(random.below(2_000)) }),
    ...(random.oneIn(3) ? { error: { code: random.u32(), message: random.text(300) } } : {}),
    ...(random.oneIn(3) ? { traceparent: random.text(60) } : {}),
    ...(random.oneIn(3) ? { tracestate: random.text(60) } : {}),
  };
}

function fromMessage(message: MessageOf<typeof RpcEnvelopeSchema>): RpcEnvelope {
  const empty = create(RpcEnvelopeSchema);
  const { error } = message;
  return {
    routeKey: message.routeKey,
    direction: message.direction,
    requestId: message.requestId,
    metadata: message.metadata.map(({ key, value }) => ({ key, value })),
    timeoutMs: Number(message.timeoutMs),
    ...(Object.hasOwn(message, "payload") ? { payload: message.payload ?? empty.payload } : {}),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
    ...(Object.hasOwn(message, "traceparent") ? { traceparent: message.traceparent } : {}),
    ...(Object.hasOwn(message, "tracestate") ? { tracestate: message.tracestate } : {}),
  } as RpcEnvelope;
}
