import process from "node:process";
import { describe, it } from "node:test";
import { World } from "./model/world.ts";

/** `MODEL_RUNS` runs of `MODEL_STEPS` steps, from the seed `MODEL_SEED` on. */
const {
  MODEL_RUNS: runs = "150",
  MODEL_STEPS: steps = "25",
  MODEL_SEED: first = "1",
} = process.env;

describe("actors under random commands, failures, crashes and time", () => {
  it(`keep every rule over ${runs} runs`, { timeout: 3_600_000 }, async () => {
    for (let seed = Number(first); seed < Number(first) + Number(runs); seed++) {
      try {
        await run(seed);
      } catch (cause) {
        const again = `MODEL_SEED=${seed} MODEL_RUNS=1 MODEL_STEPS=${steps}`;
        throw new Error(`seed ${seed} (${again}): ${cause}`, { cause });
      }
    }
  });
});

async function run(seed: number): Promise<void> {
  const world = new World(seed);
  for (let step = 0; step < Number(steps); step++) await world.step();
  await world.settle();
}
