import type { TestResult } from "./junit.ts";
import { type Job, type JobEnd, processName } from "./run_file.ts";

/** Tests with real sockets, processes, disks and other people's stacks; those in memory have no excuse. */
const real = /^test\/(adapters|integration|interop|faults)\//;

/** More processes than that which fail have one cause. */
const mostJobs = 3;

/** How often all of a process has to pass, nothing running beside it. */
const runs = 2;

/**
 * Runs what failed beside others twice more, alone. Where all of it passes both times, that stands, and what had failed is
 * told as {@link TestResult.flaked}, so that nobody takes it for well: `--strict` leaves this out. Nothing is run again when
 * tests in memory failed, or more than three processes.
 */
export async function runAgain(
  ends: readonly JobEnd[],
  run: (job: Job) => Promise<readonly TestResult[]>,
): Promise<readonly JobEnd[]> {
  const broken = ends.filter((end) => failuresOf(end.results).length > 0);
  const hopeless = broken.some(({ job }) => !job.files.every((file) => real.test(file)));
  if (broken.length === 0 || broken.length > mostJobs || hopeless) return ends;
  const settled = new Map<JobEnd, JobEnd>();
  for (const end of broken) settled.set(end, await settle(end, run));
  return ends.map((end) => settled.get(end) ?? end);
}

async function settle(
  end: JobEnd,
  run: (job: Job) => Promise<readonly TestResult[]>,
): Promise<JobEnd> {
  let results: readonly TestResult[] = [];
  for (let count = 0; count < runs; count++) {
    results = await run(end.job);
    if (!mends(results, end.results)) return end;
  }
  const [first, ...rest] = results as readonly [TestResult, ...TestResult[]];
  const flaked = failuresOf(end.results).map(titleOf).join("; ");
  return { job: end.job, results: [{ ...first, flaked }, ...rest] };
}

/** Whether nothing failed, and every test that had failed has passed: one that is skipped now says nothing. */
function mends(results: readonly TestResult[], before: readonly TestResult[]): boolean {
  const passed = new Set(results.filter((one) => one.status === "passed").map(titleOf));
  const tests = failuresOf(before).filter((one) => one.name !== processName);
  const all = tests.every((one) => passed.has(titleOf(one)));
  return all && passed.size > 0 && failuresOf(results).length === 0;
}

function failuresOf(results: readonly TestResult[]): TestResult[] {
  return results.filter((one) => one.status === "failed");
}

function titleOf({ runtime, file, name }: TestResult): string {
  return `${runtime} · ${file} · ${name}`;
}
