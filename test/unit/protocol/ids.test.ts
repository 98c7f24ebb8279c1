import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import { fromActrIdMessage, toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import {
  type ActrId,
  actrIdEquals,
  decodeActrId,
  encodeActrId,
  formatActrId,
  formatActrType,
  isSamePeer,
  parseActrId,
  parseActrType,
  peerKey,
} from "../../../src/protocol/ids.ts";
import { ActrIdSchema, ActrTypeSchema, create, encode } from "../../../src/protocol/schema.ts";
import { serialNumber } from "../../../src/protocol/serial.ts";
import { formatActrUri, parseActrUri } from "../../../src/protocol/uri.ts";
import behaviour from "../../vectors/behaviour.json" with { type: "json" };
import protocol from "../../vectors/protocol.json" with { type: "json" };
import { hex, refusal } from "./support.ts";

const id: ActrId = {
  realm: 101,
  serial: 0x1a2b3cn,
  type: { manufacturer: "acme", name: "echo-service", version: "1.0.0" },
};

describe("ActrId", () => {
  it("[V-protocol.ids] has one text, one encoding and one header value", () => {
    for (const vector of protocol.ids) {
      const { manufacturer, name, version } = vector;
      const expected: ActrId = {
        realm: vector.realm_id,
        serial: BigInt(vector.serial_number),
        type: { manufacturer, name, version },
      };
      assert.equal(expected.serial.toString(16), vector.serial_hex);
      assert.deepEqual(parseActrId(vector.string), expected);
      assert.equal(formatActrId(expected), vector.string);
      assert.equal(toHex(encodeActrId(expected)), vector.actr_id_hex);
      assert.deepEqual(decodeActrId(hex(vector.actr_id_hex)), expected);
      assert.equal(toHex(encode(ActrIdSchema, toActrIdMessage(expected))), vector.actr_id_hex);
      assert.deepEqual(fromActrIdMessage(toActrIdMessage(expected)), expected);
      if (vector.actr_type_hex !== undefined) {
        assert.equal(toHex(encode(ActrTypeSchema, expected.type)), vector.actr_type_hex);
      }
      if (vector.x_actr_source_id !== undefined) {
        assert.equal(toHex(encodeActrId(expected)), vector.x_actr_source_id);
      }
    }
  });

  it("[V-behaviour.actr_id_valid] reads valid text", () => {
    for (const vector of behaviour.actr_id_valid) {
      const parsed = parseActrId(vector.s);
      assert.equal(parsed.serial.toString(16), vector.serial_hex);
      assert.equal(parsed.realm, vector.realm);
      assert.equal(formatActrType(parsed.type), vector.type);
    }
  });

  it("[V-behaviour.actr_id_invalid] names what is wrong", () => {
    for (const [text, kind] of behaviour.actr_id_invalid as [string, string][]) {
      const error = refusal("invalid_argument", () => parseActrId(text));
      assert.equal(error.details?.["kind"], kind, text);
    }
  });

  it("reads upper case, a plus and leading zeros, and writes the canonical form", () => {
    const parsed = parseActrId("+001A2B3C@0101/acme:echo-service:1.0.0");
    assert.deepEqual(parsed, id);
    assert.equal(formatActrId(parsed), "1a2b3c@101/acme:echo-service:1.0.0");
  });

  it("refuses numbers that do not fit", () => {
    for (const text of [
      "10000000000000000@1/a:b:1",
      "1@4294967296/a:b:1",
      "1@-1/a:b:1",
      "@1/a:b:1",
      "0x1@1/a:b:1",
    ]) {
      const error = refusal("invalid_argument", () => parseActrId(text));
      assert.equal(error.details?.["kind"], "InvalidComponent", text);
    }
    const largest = parseActrId("ffffffffffffffff@4294967295/a:b:1");
    assert.deepEqual(decodeActrId(encodeActrId(largest)), largest);
    for (const wrong of [{ realm: -1 }, { realm: 1.5 }, { serial: -1n }, { serial: 1n << 64n }]) {
      refusal("invalid_argument", () => encodeActrId({ ...id, ...wrong }));
      refusal("invalid_argument", () => formatActrId({ ...id, ...wrong }));
      refusal("invalid_argument", () => toActrIdMessage({ ...id, ...wrong }));
    }
  });

  it("accepts any names where a server reads, never another shape", () => {
    const longName = "x".repeat(39);
    const parsed = parseActrId(`1@2/${longName}:9:`, { checkNames: false });
    assert.deepEqual(parsed.type, { manufacturer: longName, name: "9", version: "" });
    refusal("invalid_argument", () => parseActrId("1@2/a:b", { checkNames: false }));
  });

  it("refuses an encoding without realm, serial number or type", () => {
    for (const bytes of ["", "0a020865", "0a02086510bcd668", "10bcd6681a00", "0a0208651a00"]) {
      refusal("decode_failure", () => decodeActrId(hex(bytes)));
    }
    refusal("decode_failure", () => fromActrIdMessage(undefined));
    refusal("decode_failure", () => fromActrIdMessage(create(ActrIdSchema, { realm: {} })));
  });

  it("compares peers by realm and serial, ids by everything", () => {
    const other = { ...id, type: { ...id.type, version: "2.0.0" } };
    assert.ok(isSamePeer(id, other));
    assert.ok(!actrIdEquals(id, other));
    assert.ok(actrIdEquals(id, { ...id, type: { ...id.type } }));
    assert.ok(!isSamePeer(id, { ...id, realm: 102 }));
    assert.equal(peerKey(id), peerKey(other));
  });
});

describe("ActrType", () => {
  it("[V-behaviour.actr_type_valid] is read and written alike", () => {
    for (const text of behaviour.actr_type_valid) {
      assert.equal(formatActrType(parseActrType(text)), text);
    }
  });

  it("[V-behaviour.actr_type_invalid] names what is wrong", () => {
    for (const [text, kind] of behaviour.actr_type_invalid as [string, string][]) {
      const error = refusal("invalid_argument", () => parseActrType(text));
      assert.equal(error.details?.["kind"], kind, text);
    }
  });
});

describe("URI", () => {
  it("[V-behaviour.uri_valid] is read and written alike", () => {
    for (const vector of behaviour.uri_valid) {
      const uri = parseActrUri(vector.s);
      const { realm, manufacturer, name, version } = vector;
      assert.deepEqual(uri, { realm, manufacturer, name, version });
      assert.equal(`${uri.manufacturer}+${uri.name}`, vector.actor_type);
      assert.equal(formatActrUri(uri), vector.s);
    }
  });

  it("[V-behaviour.uri_invalid] names what is wrong", () => {
    for (const [text, kind] of behaviour.uri_invalid as [string, string][]) {
      const error = refusal("invalid_argument", () => parseActrUri(text));
      assert.equal(error.details?.["kind"], kind, text);
    }
  });

  it("reads an empty version but does not write one", () => {
    const uri = parseActrUri("actr://1:a+b@");
    assert.equal(uri.version, "");
    const error = refusal("invalid_argument", () => formatActrUri(uri));
    assert.equal(error.details?.["kind"], "MissingVersion");
  });

  it("takes the version after the last @", () => {
    assert.equal(parseActrUri("actr://1:a+b@c@2").name, "b@c");
  });
});

describe("serial number", () => {
  it("[V-protocol.serial_number] packs time, worker and sequence", () => {
    for (const { unix_ms, worker, sequence, serial, serial_hex } of protocol.serial_number) {
      const packed = serialNumber(unix_ms, worker, sequence);
      assert.equal(packed, BigInt(serial));
      assert.equal(packed.toString(16), serial_hex);
    }
  });

  it("refuses what would spill into other parts", () => {
    assert.throws(() => serialNumber(1_672_531_199_999, 0, 0), RangeError);
    assert.throws(() => serialNumber(1_672_531_200_000, 32, 0), RangeError);
    assert.throws(() => serialNumber(1_672_531_200_000, 0, 256), RangeError);
  });
});
