/** `npm run bench`: see README.md beside this file. */
import process from "node:process";
import { type BenchOptions, benchOptions, usage } from "./options.ts";
import { Report } from "./report.ts";
import { Run } from "./run.ts";
import { w1 } from "./w1.ts";
import { w2 } from "./w2.ts";
import { w3 } from "./w3.ts";
import { w4 } from "./w4.ts";
import { w5 } from "./w5.ts";
import { w6 } from "./w6.ts";
import { w7 } from "./w7.ts";
import { w8 } from "./w8.ts";
import { w9 } from "./w9.ts";
import { w10 } from "./w10.ts";
import { w11 } from "./w11.ts";
import { w12 } from "./w12.ts";

const benchmarks: ReadonlyMap<string, (run: Run) => Promise<void>> = new Map([
  ["W1", w1],
  ["W2", w2],
  ["W3", w3],
  ["W4", w4],
  ["W5", w5],
  ["W6", w6],
  ["W7", w7],
  ["W8", w8],
  ["W9", w9],
  ["W10", w10],
  ["W11", w11],
  ["W12", w12],
]);

function chosen({ names }: BenchOptions): ((run: Run) => Promise<void>)[] {
  return (names.length === 0 ? [...benchmarks.keys()] : names).map((name) => {
    const benchmark = benchmarks.get(name);
    if (benchmark !== undefined) return benchmark;
    throw new TypeError(`no benchmark ${name}; there are ${[...benchmarks.keys()].join(", ")}`);
  });
}

function asked(): { options: BenchOptions; benchmarks: ((run: Run) => Promise<void>)[] } {
  try {
    const options = benchOptions(process.argv.slice(2));
    return { options, benchmarks: chosen(options) };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
}

const { options, benchmarks: list } = asked();
const report = new Report(options.json);
report.header();
for (const runtime of options.runtimes) {
  for (const benchmark of list) {
    await using run = new Run(options, runtime, report);
    await benchmark(run);
  }
}
