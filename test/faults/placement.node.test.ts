import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { delay } from "#async";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { sqldMissing } from "../fixtures/sqld.ts";
import { PlacementLoad } from "./placement_load.ts";
import { PlacementNodes } from "./placement_nodes.ts";

const leaseMs = 1500;

describe("nodes that share a libSQL server for their actors", { skip: sqldMissing }, () => {
  it("have each actor on one of them, whatever is paused past its lease, and lose nothing", async () => {
    await using nodes = await PlacementNodes.start({ nodes: 2, leaseMs });
    const load = new PlacementLoad(nodes, new SeededRandom(1), { actors: 24, callers: 8 });
    const done = new AbortController();
    const running = load.run(done.signal);
    await delay(500);
    await nodes.pause(0, 2 * leaseMs);
    await delay(leaseMs);
    done.abort();
    await running;
    const { acknowledged, lives, lost, twice, surplus, overlaps } = await load.check();
    assert.deepEqual(
      { lost, twice, surplus, overlaps },
      { lost: 0, twice: 0, surplus: 0, overlaps: 0 },
    );
    assert.ok(acknowledged > 24, `${acknowledged} acknowledged`);
    assert.ok(lives > 24, `${lives} lives: no actor has moved`);
  });
});
