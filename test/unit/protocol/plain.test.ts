import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { plainOf, valueOfPlain } from "../../../src/protocol/actors/plain.ts";

const through = (value: unknown): unknown =>
  valueOfPlain(JSON.parse(JSON.stringify(plainOf(value))));

describe("values as people edit them", () => {
  it("are whole: whatever an actor may store comes back as it was", () => {
    const values: unknown[] = [
      null,
      true,
      "text",
      0.5,
      undefined,
      [],
      {},
      [undefined, null],
      { a: { b: [1, { c: undefined }] } },
      12n,
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      new Date(86_400_000),
      new Set([1, new Set([2n])]),
      new Map<unknown, unknown>([
        ["a", 1],
        [{ k: 1 }, new Map([[1n, new Date(0)]])],
      ]),
      Uint8Array.of(1, 2, 255),
      Uint8Array.of(1, 2).buffer,
      Float64Array.of(0.1, Number.NaN),
      BigInt64Array.of(-1n),
      ["$Date", 1],
      ["$$Date", 1],
      ["$", "$"],
      { $Date: 1 },
      JSON.parse('{"__proto__": {"a": 1}}'),
    ];
    for (const value of values) assert.deepEqual(through(value), value);
    assert.ok(Number.isNaN((through(new Date(Number.NaN)) as Date).getTime()));
    assert.ok(Object.is(through(-0), -0));
  });

  it("are refused where they are none, however deep", () => {
    const deep = JSON.parse(`${"[".repeat(10_000)}${"]".repeat(10_000)}`);
    const wrong = [
      ["$Nope", 1],
      ["$BigInt", "x"],
      ["$BigInt", "9".repeat(5_000)],
      ["$Number", "1"],
      ["$Date", "now"],
      ["$Set", 1],
      ["$Map", [[1]]],
      ["$Uint8Array", "?"],
      ["$Float64Array", "AA=="],
      { a: [["$Set", [["$Nope", 1]]]] },
      deep,
    ];
    for (const plain of wrong) {
      assert.throws(
        () => valueOfPlain(plain),
        (error: unknown) => ActrError.from(error).code === "actor.invalid_request",
      );
    }
  });
});
