/**
 * `npm run faults:rendezvous -- [--minutes N] [--nodes N] [--servers N] [--seed N] [--store]`: rendezvous on one real libSQL
 * server, killed at random under load; with `--store` the store carries what they say to each other. Fails when nodes do
 * not find and reach each other again, or an acknowledged registration is lost.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { killServers } from "./rendezvous_series.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    nodes: { type: "string", default: "50" },
    servers: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    store: { type: "boolean", default: false },
  },
});
const [minutes, nodes, servers, seed] = [
  values.minutes,
  values.nodes,
  values.servers,
  values.seed,
].map(Number) as [number, number, number, number];
if (!(minutes > 0 && nodes > 1 && servers > 1)) {
  console.error("--minutes is a number above 0, --nodes and --servers are numbers above 1");
  process.exit(2);
}

const endsAt = Date.now() + minutes * 60_000;
const figures = await killServers({
  ...{ servers, nodes, direct: !values.store, leaseMs: 5000, quietMs: 5000 },
  random: new SeededRandom(seed),
  more: () => Date.now() < endsAt,
});
console.log(JSON.stringify({ runtime: thisRuntime, servers, nodes, ...figures }));
process.exitCode = figures.lost === 0 ? 0 : 1;
