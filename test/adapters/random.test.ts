import assert from "node:assert/strict";
import { it } from "node:test";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { randomConformance } from "../conformance/random.ts";

randomConformance("system", systemRandom);
randomConformance("seeded", () => new SeededRandom(7));

it("seeded random repeats itself under the same seed only", () => {
  const draw = (seed: number): unknown[] => {
    const random = new SeededRandom(seed);
    return [random.next(), random.uuid(), ...random.bytes(8)];
  };
  assert.deepEqual(draw(42), draw(42));
  assert.notDeepEqual(draw(42), draw(43));
});
