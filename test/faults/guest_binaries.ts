/**
 * `npm run faults:guest-binaries -- [--count 100000] [--seed N] [--compared 2000] [--runtime node|deno|bun]`: mutated
 * components, each refused with a fault, or run with its fuel counted and its caps kept; and generated modules that do
 * the same with and without their fuel counted. Tells what became of them; fails where one does anything else.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SeededRandom } from "../../adapters/memory/mod.ts";
import { guestComponent } from "../fixtures/guests/guest_component.ts";
import { generatedMain, mainOf, Verdicts } from "../fixtures/mutated_guests.ts";
import { commandLine, runtimeNames, thisRuntime } from "../fixtures/runtimes.ts";
import { compareGenerated } from "../fixtures/wasm_comparison.ts";

const mutantsOfOne = 100;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "8" },
    compared: { type: "string", default: "2000" },
    runtime: { type: "string", default: thisRuntime },
  },
});
const [count, seed, compared] = [values.count, values.seed, values.compared].map(Number);
const runtime = runtimeNames.find((name) => name === values.runtime);
if (!count || seed === undefined || compared === undefined || runtime === undefined) {
  console.error("--count takes a number above 0, --seed and --compared numbers, --runtime a name");
  process.exit(2);
}
if (runtime !== thisRuntime) {
  const [program, parameters] = commandLine(runtime, fileURLToPath(import.meta.url));
  const { status } = spawnSync(program, [...parameters, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  process.exit(status ?? 1);
}

const random = new SeededRandom(seed);
const verdicts = new Verdicts(random, await guestComponent("echo"));
const cpu = process.cpuUsage();
const made = mainOf(await guestComponent("probe"));
let slowestMs = 0;
for (let left = count; left > 0; left -= mutantsOfOne) {
  const began = performance.now();
  const main = random.next() < 0.1 ? made : generatedMain(random);
  verdicts.mutants(main, Math.min(left, mutantsOfOne));
  slowestMs = Math.max(slowestMs, performance.now() - began);
}
const { user, system } = process.cpuUsage(cpu);
const seen = { same: 0, traps: 0, spent: 0 };
for (let left = compared; left > 0; left--) {
  const { same, traps, spent } = compareGenerated(random);
  seen.same += same;
  seen.traps += traps;
  seen.spent += spent;
}
const figures = {
  ...{ runtime, seed, count, verdicts: verdicts.counts },
  ...{ cpuMs: Math.round((user + system) / 1_000), slowestHundredMs: Math.round(slowestMs) },
  ...{ residentMb: Math.round(process.memoryUsage().rss / 2 ** 20), compared, ...seen },
};
console.log(JSON.stringify(figures));
