import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { timedId } from "../../../src/host/actor_id.ts";

const random = new SeededRandom();

describe("the id of an actor", () => {
  it("is a version 7 UUID of its time", () => {
    const at = Date.UTC(2026, 10, 21);
    const uuid = random.uuid();
    const id = timedId(at, uuid);
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16), at);
    assert.equal(id.slice(15), uuid.slice(15));
  });

  it("comes after those of earlier times", () => {
    const times = [0, 1, 65_535, 65_536, 2 ** 40, 2 ** 48 - 1];
    const ids = times.map((at) => timedId(at, random.uuid()));
    assert.deepEqual([...ids].sort(), ids);
  });
});
