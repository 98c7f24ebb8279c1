/**
 * `npm run faults:placement -- [--minutes N] [--actors N] [--nodes N] [--seed N]`: nodes that share a real libSQL server for
 * their actors, paused and killed at random under load. Fails when an acknowledged change is lost or made twice, or an
 * actor has lived on two nodes at a time.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { delay } from "#async";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { PlacementLoad } from "./placement_load.ts";
import { PlacementNodes } from "./placement_nodes.ts";

const leaseMs = 5000;
const callers = 32;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    actors: { type: "string", default: "1000" },
    nodes: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
  },
});
const [minutes, actors, count, seed] = [
  values.minutes,
  values.actors,
  values.nodes,
  values.seed,
].map(Number) as [number, number, number, number];
if (!(minutes > 0 && actors > 0 && count > 0)) {
  console.error("--minutes, --actors and --nodes are numbers above 0");
  process.exit(2);
}

const random = new SeededRandom(seed);
await using nodes = await PlacementNodes.start({ nodes: count, leaseMs });
const load = new PlacementLoad(nodes, new SeededRandom(seed + 1), { actors, callers });
const done = new AbortController();
const running = load.run(done.signal);
const faults = { paused: 0, killed: 0 };
for (const endsAt = Date.now() + minutes * 60_000; Date.now() < endsAt; ) {
  await delay(random.next() * leaseMs);
  const at = Math.floor(random.next() * count);
  if (random.next() < 0.5) {
    faults.paused += 1;
    await nodes.pause(at, (0.5 + 2 * random.next()) * leaseMs);
  } else {
    faults.killed += 1;
    await nodes.kill(at);
  }
}
// The shards of the last that was killed have to find an owner.
await delay(2 * leaseMs);
done.abort();
await running;
const figures = await load.check();
console.log(JSON.stringify({ runtime: thisRuntime, nodes: count, actors, ...faults, ...figures }));
const { lost, twice, surplus, overlaps } = figures;
process.exitCode = lost + twice + surplus + overlaps === 0 ? 0 : 1;
