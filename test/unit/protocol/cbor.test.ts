import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import { decodeCbor } from "../../../src/protocol/cbor/decode.ts";
import { encodeCbor } from "../../../src/protocol/cbor/encode.ts";

function bytes(hex: string): Uint8Array {
  return fromHex(hex.replaceAll(" ", "")) ?? assert.fail(hex);
}

/** Appendix A of RFC 8949: what every reader must take. */
const standard: readonly (readonly [string, unknown])[] = [
  ["00", 0],
  ["17", 23],
  ["1818", 24],
  ["1903e8", 1000],
  ["1a000f4240", 1_000_000],
  ["1b000000e8d4a51000", 1_000_000_000_000n],
  ["c249010000000000000000", 18_446_744_073_709_551_616n],
  ["3b ffffffffffffffff", -18_446_744_073_709_551_616n],
  ["c349010000000000000000", -18_446_744_073_709_551_617n],
  ["20", -1],
  ["3903e7", -1000],
  ["f90000", 0],
  ["f98000", -0],
  ["f93c00", 1],
  ["f97bff", 65_504],
  ["f90001", 2 ** -24],
  ["f9c400", -4],
  ["fa47c35000", 100_000],
  ["fb3ff199999999999a", 1.1],
  ["f97c00", Number.POSITIVE_INFINITY],
  ["f97e00", Number.NaN],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["f7", undefined],
  ["f0", undefined],
  ["f8ff", undefined],
  ["c11a514b67b0", new Date(1_363_896_240_000)],
  ["c1fb41d452d9ec200000", new Date(1_363_896_240_500)],
  ["d74401020304", new Uint8Array([1, 2, 3, 4])],
  ["40", new Uint8Array()],
  ["60", ""],
  ["62c3bc", "ü"],
  ["64f0908591", "𐅑"],
  ["80", []],
  ["83 01 820203 820405", [1, [2, 3], [4, 5]]],
  ["a0", {}],
  ["a2 6161 01 6162 820203", { a: 1, b: [2, 3] }],
  ["5f 420102 43030405 ff", new Uint8Array([1, 2, 3, 4, 5])],
  ["7f 657374726561 646d696e67 ff", "streaming"],
  ["9f 01 820203 9f0405ff ff", [1, [2, 3], [4, 5]]],
  ["bf 6161 01 6162 9f0203ff ff", { a: 1, b: [2, 3] }],
];

describe("CBOR", () => {
  for (const [hex, value] of standard) {
    it(`reads ${hex}`, () => assert.deepEqual(decodeCbor(bytes(hex)), value));
  }

  it("brings back every value that it takes", () => {
    const values = [
      [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -1, -(2 ** 32), -(2 ** 40)],
      [0.1, -0, Number.NaN, Number.NEGATIVE_INFINITY, Number.MAX_SAFE_INTEGER],
      [0n, 2n ** 64n - 1n, -(2n ** 64n), 2n ** 64n, -(2n ** 100n)],
      ["", "a".repeat(70_000), "häß€😀", null, undefined, true],
      { nested: { deep: [{ x: 1 }] }, "": 1, a: undefined },
      new Date(1_700_000_000_123),
      new Map<unknown, unknown>([
        [1, "one"],
        ["k", new Map()],
      ]),
      new Set([1, "two", [3]]),
      new Uint8Array([1, 2, 3]).subarray(1),
      new Float64Array([1.5, -2]),
      new Int16Array([-1, 300]),
    ];
    assert.deepEqual(decodeCbor(encodeCbor(values)), values);
  });

  it("writes heads in their shortest form, and whole numbers beyond 32 bits as doubles", () => {
    assert.equal(toHex(encodeCbor({ a: [1, 24, 1000, -500] })), "a16161840118181903e83901f3");
    assert.equal(toHex(encodeCbor(2 ** 32)), "fb41f0000000000000");
    assert.equal(toHex(encodeCbor(1n)), "1b0000000000000001");
  });

  it("names the place of what is no data", () => {
    const circle: unknown[] = [];
    circle.push(circle);
    class Custom {}
    for (const [value, path] of [
      [{ list: [1, () => {}] }, "list[1]"],
      [{ a: { b: Symbol("s") } }, "a.b"],
      [[new Custom()], "[0]"],
      [new Custom(), ""],
    ] as const) {
      assert.throws(
        () => encodeCbor(value),
        (error) =>
          ActrError.is(error) &&
          error.code === "actor.unsupported_value" &&
          error.details?.["path"] === path,
      );
    }
    assert.throws(() => encodeCbor(circle), { code: "actor.unsupported_value" });
  });

  it("sets no prototype", () => {
    const value = decodeCbor(bytes("a1 695f5f70726f746f5f5f a1 6178 01")) as Record<
      string,
      unknown
    >;
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.deepEqual(Object.keys(value), ["__proto__"]);
  });

  for (const hex of [
    "",
    "18",
    "1900",
    "61",
    "61ff",
    "9b0000000100000000",
    "5b00000000ffffffff",
    "83 01",
    "a1 01",
    "ff",
    "1c",
    "9f 01",
    "00 00",
    "7f 01 ff",
    "c2 01",
    `${"81".repeat(300)}00`,
    "d845 43010203",
    "d90103 01",
    "d90102 a0",
  ]) {
    it(`refuses ${hex.length > 40 ? "deep nesting" : `'${hex}'`}`, () => {
      assert.throws(() => decodeCbor(bytes(hex)), { code: "decode_failure" });
    });
  }
});
