/** `npm run faults:large -- [--rows N] [--payload BYTES]`: a mailbox beside an empty one, a million rows of 1 KB by default. */
import { parseArgs } from "node:util";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { measureLarge } from "./large_store.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    payload: { type: "string", default: "1000" },
  },
});
const figures = await measureLarge(Number(values.rows), Number(values.payload));
console.log(JSON.stringify({ runtime: thisRuntime, ...values, ...figures }));
