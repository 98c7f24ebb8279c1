import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isKeyField, keyField, projectField } from "../../../src/protocol/key_field.ts";
import { encode } from "../../../src/protocol/schema.ts";
import { WireReader } from "../../../src/protocol/wire_reader.ts";
import { Colour, KindsSchema } from "../../fixtures/keys_pb.ts";
import { mutate, Prng } from "./prng.ts";

type Init = Omit<Parameters<typeof encode<typeof KindsSchema>>[1], "$typeName">;

/** The key of field `name` in hand-made bytes. */
function key(name: string, ...bytes: number[]): string | undefined {
  const field = keyField(KindsSchema, name);
  assert.ok(field, `${name} can be a key`);
  return projectField(Uint8Array.from(bytes), field);
}

/** The key of field `name` in an encoded message. */
function keyOf(name: string, message: Init): string | undefined {
  return key(name, ...encode(KindsSchema, message));
}

/** The field as the reader of envelopes sees it. */
function readUint64(bytes: Uint8Array): bigint | undefined {
  const reader = new WireReader("Kinds", bytes);
  let value: bigint | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 5 * 8) value = reader.uint64();
    else reader.skip(tag);
  }
  return value;
}

describe("key field", () => {
  it("may be written down by number and kind", () => {
    for (const number of [1, 2 ** 29 - 1]) assert.ok(isKeyField({ number, kind: "sint64" }));
    for (const number of [0, -1, 1.5, 2 ** 29, "1", undefined]) {
      assert.equal(isKeyField({ number, kind: "sint64" }), false, String(number));
    }
    for (const kind of ["double", "enum", "", undefined]) {
      assert.equal(isKeyField({ number: 1, kind }), false, kind);
    }
    for (const other of [undefined, null, 1, "1"]) assert.equal(isKeyField(other), false);
  });

  it("[N-111] varint, fixed32, fixed64 and string fields project; other fields are skipped", () => {
    const message = {
      bool: true,
      int32: 7,
      uint64: 300n,
      fixed32: 0xdeadbeef,
      fixed64: 2n ** 40n + 5n,
      string: "räum",
      bytes: Uint8Array.of(0, 255),
      colour: Colour.RED,
      float: 1.5,
      double: 2.5,
      message: { room: "x" },
      list: [1, 2, 3],
      map: { a: 1 },
      distant: "far",
    };
    const keys = ["bool", "int32", "uint64", "fixed32", "fixed64", "string", "bytes", "colour"];
    assert.deepEqual(
      [...keys, "distant"].map((name) => keyOf(name, message)),
      ["1", "7", "300", "3735928559", "256:5", "räum", "\u0000\u00ff", "1", "far"],
    );
  });

  it("[N-111] an overlong varint gives the canonical key", () => {
    assert.equal(key("uint32", 0x20, 0x07), "7");
    assert.equal(key("uint32", 0x20, 0x87, 0x80, 0x80, 0x00), "7");
    assert.equal(key("uint32", 0xa0, 0x80, 0x00, 0x07), "7", "also one in the tag");
  });

  it("the same number has the same key in every type that can hold it", () => {
    for (const number of [1, -1, 2 ** 31 - 1, -(2 ** 31), -12_345]) {
      const big = BigInt(number);
      const keys = [
        keyOf("int32", { int32: number }),
        keyOf("int64", { int64: big }),
        keyOf("sint32", { sint32: number }),
        keyOf("sint64", { sint64: big }),
        keyOf("sfixed32", { sfixed32: number }),
        keyOf("sfixed64", { sfixed64: big }),
        ...(number < 0 ? [] : [keyOf("uint64", { uint64: big })]),
      ];
      assert.notEqual(keys[0], undefined);
      assert.deepEqual(new Set(keys).size, 1, `${number}: ${keys}`);
    }
    const large = 2n ** 62n + 2n ** 33n + 9n;
    assert.equal(keyOf("sint64", { sint64: -large }), keyOf("sfixed64", { sfixed64: -large }));
    assert.equal(keyOf("colour", { colour: Colour.BELOW }), keyOf("int32", { int32: -1 }));
  });

  it("[N-112] a bool of 2, a value out of range, a wrong wire type, text that is not UTF-8 or too long have no key", () => {
    assert.equal(key("bool", 0x08, 0x02), undefined);
    assert.equal(key("uint32", 0x20, 0x80, 0x80, 0x80, 0x80, 0x10), undefined, "2^32");
    assert.equal(key("sint32", 0x30, 0x80, 0x80, 0x80, 0x80, 0x10), undefined);
    assert.equal(key("int32", 0x10, 0x80, 0x80, 0x80, 0x80, 0x08), undefined, "2^31");
    assert.equal(key("uint32", 0x25, 1, 0, 0, 0), undefined, "fixed32 for a varint");
    assert.equal(key("string", 0x60, 0x01), undefined, "a varint for a string");
    assert.equal(key("string", 0x62, 0x02, 0xc3, 0x28), undefined);
    assert.equal(keyOf("string", { string: "x".repeat(4096) }), "x".repeat(4096));
    assert.equal(keyOf("string", { string: "x".repeat(4097) }), undefined);
    assert.equal(keyOf("bytes", { bytes: new Uint8Array(4097) }), undefined);
  });

  it("[N-113] an overflowing varint, a bad field number, a group, a truncated or oversized length have no key, and no crash", () => {
    const full = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert.equal(key("uint64", 0x28, ...full, 0x01), "4294967295:4294967295");
    assert.equal(key("uint64", 0x28, ...full, 0x02), undefined, "a 65th bit");
    assert.equal(key("uint64", 0x28, ...full, 0x80, 0x01), undefined, "an eleventh byte");
    assert.equal(key("uint32", 0x20, 0x07, 0x00, 0x01), undefined, "field 0");
    const tooLarge = [0x80, 0x80, 0x80, 0x80, 0x10];
    assert.equal(key("uint32", 0x20, 0x07, ...tooLarge, 0x01), undefined, "field 2^29");
    assert.equal(key("uint32", 0x20, 0x07, 0x9b, 0x01, 0x9c, 0x01), undefined, "a group");
    assert.equal(key("uint32", 0x20, 0x07, 0x66), undefined, "wire type 6");
    assert.equal(key("uint32", 0x20, 0x07, 0x20), undefined, "a tag without a value");
    assert.equal(key("uint32", 0x20, 0x07, 0x62, 0x05, 0x61), undefined, "too few bytes");
    assert.equal(key("fixed32", 0x45, 1, 2, 3), undefined);
    assert.equal(key("string", 0x62, 0xff, 0xff, 0xff, 0xff, 0x7f), undefined, "a huge length");
  });

  it("[N-114] a missing or repeated field has no key", () => {
    assert.equal(key("uint32"), undefined);
    assert.equal(keyOf("uint32", { string: "x" }), undefined);
    assert.equal(key("uint32", 0x20, 0x07, 0x20, 0x07), undefined);
  });

  it("bytes of a stranger never throw, and what has a key can be decoded to it", () => {
    const random = new Prng(7);
    const field = keyField(KindsSchema, "uint64") ?? assert.fail();
    for (let n = 0; n < 5_000; n++) {
      const uint64 = random.u64();
      const bytes = encode(KindsSchema, { uint64, string: random.text(9), bytes: random.bytes(3) });
      const mutated = mutate(random, bytes);
      const found = projectField(mutated, field);
      if (found === undefined) continue;
      const value = [...found.split(":")].reduce((sum, half) => (sum << 32n) + BigInt(half), 0n);
      assert.equal(readUint64(mutated), value, `${mutated}`);
    }
  });

  it("a float, a message, a list, a map and an unknown field cannot be keys", () => {
    for (const name of ["float", "double", "message", "list", "map", "nothing"]) {
      assert.equal(keyField(KindsSchema, name), undefined, name);
    }
  });
});
