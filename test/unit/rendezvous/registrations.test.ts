import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { concatBytes, utf8 } from "../../../src/protocol/bytes.ts";
import { AisWorld, field, registration } from "./ais_world.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/behaviour.json", import.meta.url), "utf8"),
) as { name_valid: string[]; name_invalid: (readonly [string, string] | string)[] };

describe("a registration", () => {
  const outcome = async (world: AisWorld, actrType: object) => {
    const { status, code } = await world.register(registration({ actrType } as never));
    assert.equal(status, 200);
    return code;
  };

  it("names a type that clients can read back, by the tables of names", async () => {
    const world = await AisWorld.open();
    const type = { manufacturer: "acme", name: "echo", version: "1.0.0" };
    for (const name of vectors.name_valid) {
      assert.equal(await outcome(world, { ...type, name }), 200, name);
      assert.equal(await outcome(world, { ...type, manufacturer: name }), 200, name);
    }
    const invalid = vectors.name_invalid.map((each) => (typeof each === "string" ? each : each[0]));
    assert.ok(invalid.length > 5);
    for (const name of invalid) {
      assert.equal(await outcome(world, { ...type, name }), 400, name);
      assert.equal(await outcome(world, { ...type, manufacturer: name }), 400, name);
    }
    for (const version of ["", "1:0"])
      assert.equal(await outcome(world, { ...type, version }), 400);
  });

  it("may carry fields of earlier and of later versions", async () => {
    const world = await AisWorld.open();
    const psk = field(12, utf8("psk"));
    const later = concatBytes([Uint8Array.of(0xc2, 0x3e, 2), utf8("hi")]);
    const { ok } = await world.register(concatBytes([psk, registration(), later]));
    assert.ok(ok);
  });

  it("is undecodable without a type or a realm", async () => {
    const world = await AisWorld.open();
    const whole = registration();
    for (const body of [new Uint8Array(), whole.subarray(29), whole.subarray(0, 20)]) {
      const { status, code, message = "" } = await world.register(body);
      assert.deepEqual([status, code], [200, 400]);
      assert.match(message, /^Invalid protobuf: /);
    }
  });

  it("announces an address of at most 2048 characters", async () => {
    const world = await AisWorld.open();
    const code = async (length: number) =>
      (await world.register(registration({ wsAddress: "w".repeat(length) }))).code;
    assert.equal(await code(2048), 200);
    assert.equal(await code(2049), 400);
  });
});
