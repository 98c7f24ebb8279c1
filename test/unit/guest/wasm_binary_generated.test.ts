import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/mod.ts";
import { compareGenerated } from "../../fixtures/wasm_comparison.ts";

describe("a counted module", () => {
  it("does what the original does, for generated code, on the same fuel each time", () => {
    const seen = { same: 0, traps: 0, spent: 0, unknownHere: 0 };
    for (let seed = 1; seed <= 50; seed++) {
      const { same, traps, spent, unknownHere } = compareGenerated(new SeededRandom(seed));
      seen.same += same;
      seen.traps += traps;
      seen.spent += spent;
      seen.unknownHere += Number(unknownHere);
    }
    assert.deepEqual(
      seen,
      { same: 199, traps: 32, spent: 13_169, unknownHere: 0 },
      "on every runtime",
    );
  });
});
