/** `npm run faults:large -- [--rows N] [--payload BYTES]`: a mailbox beside an empty one, and a node over both; a million rows of 1 KB by default. */
import { parseArgs } from "node:util";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { measureNode } from "./large_node.ts";
import { measureLarge } from "./large_store.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    payload: { type: "string", default: "1000" },
  },
});
const [rows, payload] = [Number(values.rows), Number(values.payload)];
const say = (figures: object): void =>
  console.log(JSON.stringify({ runtime: thisRuntime, ...figures }));
say({ rows, payload, store: await measureLarge(rows, payload) });
for (const waiting of [0, rows])
  say({ rows: waiting, payload, node: await measureNode(waiting, payload) });
