/**
 * `npm run faults:transfer -- [--megabytes N] [--stack wrtc|node-datachannel]`: one long stream between two nodes that
 * WebRTC alone connects, on this runtime; 1000 MB by default. Fails when a chunk is lost or changed, or memory grows.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { stackNames } from "../fixtures/webrtc_stacks.ts";
import { transfer, transferNodes } from "./transfer_load.ts";

/** Growth from the first half to the second that counts as flat, MB: what the runtime takes before it collects. */
const flatMb = 64;

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "1000" },
    stack: { type: "string", default: "wrtc" },
  },
});
const bytes = Number(values.megabytes) * 1e6;
const stack = stackNames.find((name) => name === values.stack);
if (!(bytes > 0) || stack === undefined) {
  console.error(`--megabytes takes a number above 0, --stack one of ${stackNames.join(", ")}`);
  process.exit(2);
}
const nodes = await transferNodes(stack);
const figures = await transfer(nodes, bytes);
await nodes[Symbol.asyncDispose]();
const [first, second] = figures.resident;
const grows = second > first + flatMb;
console.log(JSON.stringify({ runtime: thisRuntime, stack, ...figures, grows }));
process.exit(figures.wrong > 0 || figures.bytes < bytes || grows ? 1 : 0);
