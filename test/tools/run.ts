/**
 * `npm test -- [--runtime NAME]… [--filter TEXT]… [--json FILE] [--strict]`: runs every test file on every
 * runtime and ends with one line per runtime and `N passed, N failed`. See `run_again.ts` for what `--strict` leaves out.
 */
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { pooledMap } from "#async";
import type { TestResult } from "./junit.ts";
import { root } from "./root.ts";
import { runAgain } from "./run_again.ts";
import { type Job, type JobEnd, runFiles } from "./run_file.ts";
import { findRuntime, type Runtime, runtimeNames } from "./runtimes.ts";

process.chdir(root);

/** Folders whose tests start processes, wait for much of their time, and mind a machine that is too busy: three at a time, whatever it has. */
const heavy = /^test\/(integration|interop|faults)\//;

/** Tests of parts in memory, which share a process: starting one takes longer than most of them. */
const small = /^test\/unit\/\w+\//;
const batchSize = 16;

/** Every test file below `test/`, with slashes on any system. */
function testFiles(): string[] {
  return readdirSync("test", { recursive: true, encoding: "utf8" })
    .map((path) => `test/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".test.ts") && !path.includes("node_modules"))
    .sort();
}

/** What Node 24 runs beside the Node of the user: everything that meets its SQLite, its sockets or native modules by itself. */
const newerNode =
  /^test\/(unit|adapters|faults|interop\/guests|integration\/(actor|dlq|streams|webrtc))/;

/** Whether a file runs on a runtime: `x.deno.test.ts` only on Deno; `x.node.test.ts` only on the Node that the user runs, since such files start the others themselves. */
function runsOn(file: string, runtime: string): boolean {
  if (runtime === "node24" && !newerNode.test(file)) return false;
  const only = /\.(node|deno|bun)\.test\.ts$/.exec(file)?.[1];
  return only === undefined || runtime === only;
}

/** What each process of a runtime runs. */
function jobsOf(runtime: Runtime, files: readonly string[]): Job[] {
  const own = files.filter((file) => runsOn(file, runtime.name));
  const shared = own.filter((file) => small.test(file));
  const jobs: Job[] = own
    .filter((file) => !small.test(file))
    .map((file) => ({ runtime, files: [file] }));
  for (let at = 0; at < shared.length; at += batchSize) {
    const [first, ...more] = shared.slice(at, at + batchSize);
    if (first !== undefined) jobs.push({ runtime, files: [first, ...more] });
  }
  return jobs;
}

async function runAll(jobs: readonly Job[], atOnce: number, progress: Progress): Promise<JobEnd[]> {
  const ends: JobEnd[] = [];
  const run = async (job: Job): Promise<JobEnd> => {
    const began = performance.now();
    const results = await runFiles(job);
    progress.done(job, performance.now() - began);
    return { job, results };
  };
  for await (const end of pooledMap(atOnce, jobs, run)) {
    for (const one of end.results) if (one.status === "failed") printFailure(one);
    ends.push(end);
  }
  return ends;
}

/** Says on standard error how far the run is: a line that rewrites itself on a terminal, one in twenty-five processes elsewhere. */
class Progress {
  readonly #total: number;
  readonly #began = performance.now();
  #finished = 0;
  readonly #slow: { readonly what: string; readonly ms: number }[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  done({ runtime, files: [first, ...more] }: Job, ms: number): void {
    this.#finished++;
    const what = `${runtime.name} ${first}${more.length === 0 ? "" : ` and ${more.length} more`}`;
    this.#slow.push({ what, ms });
    const line = `[${this.#finished}/${this.#total}, ${this.#seconds()} s] ${what}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line.slice(0, 100)}`);
    else if (this.#finished % 25 === 0) process.stderr.write(`${line}\n`);
  }

  /** The processes that took longest, and the time of all. */
  summary(): string {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    const slowest = [...this.#slow].sort((a, b) => b.ms - a.ms).slice(0, 15);
    const list = slowest.map(({ what, ms }) => `${what} ${Math.round(ms / 1000)} s`).join(", ");
    return `${this.#finished} processes in ${this.#seconds()} s; longest: ${list}`;
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#began) / 1000);
  }
}

function printFailure(one: TestResult): void {
  console.log(`\n✖ ${one.runtime} · ${one.file} · ${one.name}\n${one.error ?? ""}`);
}

const count = (results: readonly TestResult[], status: TestResult["status"]): number =>
  results.filter((one) => one.status === status).length;

/** Prints the closing lines; whether everything that was asked for passed. */
function conclude(runtimes: readonly Runtime[], results: readonly TestResult[]): boolean {
  for (const one of results) {
    if (one.status === "skipped")
      console.log(`skipped on ${one.runtime}: ${one.file} · ${one.name}`);
  }
  let complete = true;
  for (const { name, label } of runtimes) {
    const own = results.filter((one) => one.runtime === name);
    console.log(`${label}: ${count(own, "passed")} passed, ${count(own, "failed")} failed`);
    complete &&= count(own, "passed") > 0;
  }
  const flaked = results.filter((one) => one.flaked !== undefined);
  for (const one of flaked) {
    console.log(`FLAKED, a defect of the test or of what it tests: ${one.flaked}`);
  }
  console.log(`${count(results, "passed")} passed, ${count(results, "failed")} failed`);
  return complete && count(results, "failed") === 0;
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      runtime: { type: "string", multiple: true },
      filter: { type: "string", multiple: true },
      json: { type: "string" },
      strict: { type: "boolean", default: false },
    },
  });
  const files = testFiles().filter((file) => (values.filter ?? [""]).some((f) => file.includes(f)));
  const runtimes: Runtime[] = [];
  let missing = false;
  for (const name of values.runtime ?? runtimeNames) {
    const found = findRuntime(name);
    if (!("missing" in found)) runtimes.push(found);
    else {
      console.log(found.missing);
      missing ||= name !== "node24";
    }
  }
  const jobs = runtimes.flatMap((runtime) => jobsOf(runtime, files));
  const light = jobs.filter(({ files: [file] }) => !heavy.test(file));
  const progress = new Progress(jobs.length);
  const ends = await runAll(light, availableParallelism() + 1, progress);
  const rest = jobs.filter(({ files: [file] }) => heavy.test(file));
  ends.push(...(await runAll(rest, 3, progress)));
  console.log(progress.summary());
  const settled = values.strict ? ends : await runAgain(ends, runFiles);
  const results = settled.flatMap((end) => end.results);
  if (values.json) await writeFile(values.json, JSON.stringify(results));
  // A filter may well leave nothing for a runtime to do; a whole run may not.
  const busy = runtimes.filter(({ name }) => jobs.some((job) => job.runtime.name === name));
  return conclude(values.filter ? busy : runtimes, results) && !missing && results.length > 0;
}

process.exit((await main()) ? 0 : 1);
