/**
 * `npm run faults:mutual -- [--seconds N]`: two nodes whose handlers call each other, at full load, on this runtime; a
 * minute by default. Fails when a reply is lost or wrong, something is left, or memory grows.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { mutualLoad } from "./mutual_load.ts";
import { mutualNodes } from "./mutual_nodes.ts";

/** Growth between the two windows that counts as flat: a share, and MB beyond it for what the runtime takes when it likes. */
const flat = { share: 1.25, mb: 16 };

const { values } = parseArgs({ options: { seconds: { type: "string", default: "60" } } });
const seconds = Number(values.seconds);
if (!(seconds > 0)) {
  console.error(`--seconds ${values.seconds} is not a number above 0`);
  process.exit(2);
}
await using nodes = await mutualNodes();
const figures = await mutualLoad(nodes, seconds);
const [early, late] = figures.heap;
const grows = late > early * flat.share + flat.mb;
console.log(JSON.stringify({ runtime: thisRuntime, ...figures, grows }));
const { lost, wrong, left, failed } = figures;
const faults = lost + wrong + left + Object.keys(failed).length + (grows ? 1 : 0);
process.exitCode = faults === 0 ? 0 : 1;
