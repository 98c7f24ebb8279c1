import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, type ErrorCode } from "../../../src/errors.ts";
import { decodeCredential, encodeCredential } from "../../../src/protocol/credential_codec.ts";
import { decodeDataChunk, encodeDataChunk } from "../../../src/protocol/data_chunk.ts";
import { decodeEnvelope, encodeEnvelope } from "../../../src/protocol/envelope.ts";
import { decodeFrame, encodeFrame, isLane } from "../../../src/protocol/frame.ts";
import {
  decodeActrId,
  encodeActrId,
  formatActrId,
  parseActrId,
  parseActrType,
} from "../../../src/protocol/ids.ts";
import { parsePeerHeaders, peerHeaders } from "../../../src/protocol/peer_headers.ts";
import { Reassembler } from "../../../src/protocol/reassembler.ts";
import { decodeSignaling } from "../../../src/protocol/signaling.ts";
import { parseSignalingQuery } from "../../../src/protocol/signaling_query.ts";
import { parseActrUri } from "../../../src/protocol/uri.ts";
import { fromWireError, toWireError } from "../../../src/protocol/wire_error.ts";
import protocol from "../../vectors/protocol.json" with { type: "json" };
import { mutate, Prng } from "./prng.ts";
import { fragmentsOf, hex } from "./support.ts";

const idBytes = hex(protocol.ids[0]?.actr_id_hex ?? "");
const credentialBytes = hex(protocol.credential.aid_credential_hex);
const envelopeBytes = encodeEnvelope({
  routeKey: "echo.EchoService.Echo",
  payload: new Uint8Array(20),
  error: { code: 10_001, message: "unavailable: é" },
  direction: 2,
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=b",
  requestId: "123e4567-e89b-42d3-a456-426614174000",
  metadata: [{ key: "k", value: "v" }],
  timeoutMs: -1,
});
const chunkBytes = encodeDataChunk({
  streamId: "s",
  sequence: 1n << 63n,
  payload: new Uint8Array(9),
  metadata: [{ key: "k", value: "漢" }],
  timestampMs: 1,
});

/** What `run` gives; undefined when it refuses with the one error it may. Anything else fails the test. */
function tried<T>(code: ErrorCode, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof ActrError && error.code === code) return undefined;
    throw error;
  }
}

/** Random bytes, or a mutation of one of `seeds`. */
function hostile(random: Prng, seeds: readonly Uint8Array[]): Uint8Array {
  return random.oneIn(8) ? random.bytes(random.below(64)) : mutate(random, random.pick(seeds));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

describe("hostile input gives a value or the one error", () => {
  it("as envelope (30,000 cases)", () => {
    const random = new Prng(11);
    let read = 0;
    for (let i = 0; i < 30_000; i++) {
      const bytes = hostile(random, [envelopeBytes]);
      const envelope = tried("decode_failure", () => decodeEnvelope(bytes));
      if (envelope === undefined) continue;
      read++;
      assert.deepEqual(decodeEnvelope(encodeEnvelope(envelope)), envelope);
    }
    assert.ok(read > 2_000 && read < 28_000, `${read} of 30000 could be read`);
  });

  it("as data chunk (20,000 cases)", () => {
    const random = new Prng(12);
    for (let i = 0; i < 20_000; i++) {
      const bytes = hostile(random, [chunkBytes]);
      const chunk = tried("decode_failure", () => decodeDataChunk(bytes));
      if (chunk !== undefined) assert.deepEqual(decodeDataChunk(encodeDataChunk(chunk)), chunk);
    }
  });

  it("as frame (15,000 cases)", () => {
    const random = new Prng(13);
    const seeds = [
      encodeFrame({ lane: 1, body: idBytes }),
      encodeFrame({ lane: 4, body: hex("") }),
    ];
    for (let i = 0; i < 15_000; i++) {
      const bytes = hostile(random, seeds);
      const frame = decodeFrame(bytes);
      if (frame === undefined) continue;
      assert.ok(isLane(frame.lane));
      assert.ok(frame.body.length <= bytes.length - 5);
    }
  });

  it("as fragments, within bounds (15,000 cases)", () => {
    const random = new Prng(14);
    const limits = { maxBytes: 5_000, maxPartials: 4, maxIdleMs: 50 };
    const reassembler = new Reassembler(limits);
    const seeds = [0, 1, 2].flatMap((id) => fragmentsOf(new Uint8Array(90).fill(id), id, 32));
    let delivered = 0;
    for (let now = 0; now < 15_000; now++) {
      if (reassembler.accept(hostile(random, seeds), now) !== undefined) delivered++;
      assert.ok(reassembler.heldBytes >= 0 && reassembler.heldBytes <= limits.maxBytes);
      assert.ok(reassembler.partials <= limits.maxPartials);
    }
    assert.ok(delivered > 10, `${delivered} delivered`);
  });

  it("as id in bytes (15,000 cases)", () => {
    const random = new Prng(15);
    for (let i = 0; i < 15_000; i++) {
      const bytes = hostile(random, [idBytes]);
      const id = tried("decode_failure", () => decodeActrId(bytes));
      if (id !== undefined) assert.deepEqual(decodeActrId(encodeActrId(id)), id);
    }
  });

  it("as id, type and URI in text (15,000 cases)", () => {
    const random = new Prng(16);
    const seeds = ["1a2b3c@101/acme:echo-service:1.0.0", "actr://101:acme+echo@1.0.0"].map(bytesOf);
    for (let i = 0; i < 15_000; i++) {
      const text = latin1(hostile(random, seeds));
      const checkNames = random.oneIn(2);
      const id = tried("invalid_argument", () => parseActrId(text, { checkNames }));
      if (id !== undefined) assert.deepEqual(parseActrId(formatActrId(id), { checkNames }), id);
      tried("invalid_argument", () => parseActrType(text));
      tried("invalid_argument", () => parseActrUri(text));
    }
  });

  it("as credential in bytes, headers and query (15,000 cases)", () => {
    const random = new Prng(17);
    const source = decodeActrId(idBytes);
    const headers = Object.entries(
      peerHeaders({ source, credential: decodeCredential(credentialBytes) }),
    );
    const query = bytesOf(protocol.credential.signaling_query);
    for (let i = 0; i < 5_000; i++) {
      const bytes = hostile(random, [credentialBytes]);
      const credential = tried("decode_failure", () => decodeCredential(bytes));
      if (credential !== undefined) {
        assert.deepEqual(decodeCredential(encodeCredential(credential)), credential);
      }
      const mutated = new Map(
        headers.map(([name, value]) => [name, latin1(hostile(random, [bytesOf(value)]))]),
      );
      tried("permission_denied", () => parsePeerHeaders(mutated));
      const parameters = new URLSearchParams(latin1(hostile(random, [query])));
      tried("permission_denied", () => parseSignalingQuery(parameters));
    }
  });

  it("as signaling envelope (15,000 cases)", () => {
    const random = new Prng(18);
    const seeds = protocol.envelopes.map((vector) => hex(vector.hex));
    let read = 0;
    for (let i = 0; i < 15_000; i++) {
      const bytes = hostile(random, seeds);
      if (tried("decode_failure", () => decodeSignaling(bytes)) !== undefined) read++;
    }
    assert.ok(read > 1_000 && read < 14_000, `${read} of 15000 could be read`);
  });

  it("as error of a response (5,000 cases)", () => {
    const random = new Prng(19);
    const seeds = [
      "connection not ready: retry_after_ms=Some(4300)",
      "dependency 'db' not found: gone",
      "unavailable: x; retry_after_ms=None",
    ].map(bytesOf);
    for (let i = 0; i < 5_000; i++) {
      const message = latin1(hostile(random, seeds));
      const error = fromWireError({ code: 10_000 + random.below(13), message });
      assert.equal(toWireError(fromWireError(toWireError(error))).code, error.wireCode);
    }
  });
});
