import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/mod.ts";
import { guestComponent } from "../../fixtures/guests/guest_component.ts";
import { generatedMain, mainOf, Verdicts } from "../../fixtures/mutated_guests.ts";

describe("a mutated component", () => {
  it("is refused with a fault, or counts its fuel and keeps its caps", async () => {
    const random = new SeededRandom(8);
    const verdicts = new Verdicts(random, await guestComponent("echo"));
    verdicts.mutants(mainOf(await guestComponent("probe")), 50);
    for (let guest = 0; guest < 10; guest++) verdicts.mutants(generatedMain(random), 100);
    const { counts } = verdicts;
    assert.ok(counts.refused > 200 && counts.run > 100, JSON.stringify(counts));
  });
});
