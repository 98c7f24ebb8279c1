import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batchVariable, readJUnit, type TestResult } from "./junit.ts";
import type { Runtime } from "./runtimes.ts";

const limitMs = Number(process.env["ROOST_TEST_FILE_LIMIT_MS"] ?? 420_000);

/** Stands for a process that failed as a whole, where tests have their titles. */
export const processName = "(process)";

const batch = "test/tools/batch.ts";

/**
 * @roamhq/wrtc may crash when `deno test` takes its runtime down (`adapters/wrtc/peer_connections.ts`), before anything is reported: such files
 * are run so often, and that is said. Elsewhere processes end by an explicit exit.
 */
const mostDenoRuns = 3;

/** Test files that one process of a runtime runs. */
export interface Job {
  readonly runtime: Runtime;
  readonly files: readonly [string, ...string[]];
}

/** What came of it. */
export interface JobEnd {
  readonly job: Job;
  readonly results: readonly TestResult[];
}

/** Runs test files in one process, as {@link runOnce}. */
export async function runFiles({ runtime, files }: Job): Promise<TestResult[]> {
  for (let run = 1; ; run += 1) {
    const { results, crashed } = await runOnce(runtime, files);
    if (!crashed || runtime.name !== "deno" || run === mostDenoRuns) return results;
    console.log(`deno ${files.join(", ")} ended with SIGSEGV before it reported: run again`);
  }
}

/** Runs test files in one process; a crash, a hang, or silence of a file is a failed test too. */
async function runOnce(
  runtime: Runtime,
  files: readonly [string, ...string[]],
): Promise<{ results: TestResult[]; crashed: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), "roost-test-"));
  const [first, ...more] = files;
  try {
    const report = join(folder, "junit.xml");
    const args = runtime.args(more.length === 0 ? first : batch, report);
    const end = await execute(runtime.binary, args, { [batchVariable]: files.join(",") });
    const xml = await readFile(report, "utf8").catch(() => "");
    const results = readJUnit(xml, runtime.reportRoots).map(
      (one): TestResult => ({ runtime: runtime.name, file: first, ...one }),
    );
    // Node tells of a broken hook only in passing, and reports the tests that never ran.
    const crashed = end.how === "SIGSEGV" && results.length === 0;
    const cancelled = results.find((one) => one.error?.includes("cancelledByParent"));
    if (cancelled) cancelled.error += `\n${end.output}`;
    const fail = (file: string, error: string): void => {
      results.push({ runtime: runtime.name, file, name: processName, status: "failed", error });
    };
    const trouble = troubleOf(end, results);
    if (trouble) fail(more.length === 0 ? first : files.join(", "), `${trouble}\n${end.output}`);
    const silent = files.filter((file) => results.every((one) => one.file !== file));
    for (const file of silent) fail(file, `It reported no test (exit ${end.how}).\n${end.output}`);
    return { results, crashed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface End {
  /** Exit code, name of the signal, or what prevented the start. */
  how: number | string;
  timedOut: boolean;
  /** The last of what it printed. */
  output: string;
}

function troubleOf(end: End, results: readonly TestResult[]): string | undefined {
  if (end.timedOut) return `The process did not end within ${limitMs / 1_000} s.`;
  if (end.how !== 0 && results.every((one) => one.status !== "failed")) {
    return `The process ended with ${end.how} although no test failed.`;
  }
  return undefined;
}

// Groups of processes under way: a test's own children must not outlive it, nor us.
const groups = new Set<number>();

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  groups.delete(pid);
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended already.
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const pid of groups) killGroup(pid);
    process.exit(1);
  });
}

function execute(
  binary: string,
  args: readonly string[],
  variables: Record<string, string>,
): Promise<End> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", ...variables };
    const child = spawn(binary, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    if (child.pid !== undefined) groups.add(child.pid);
    const end: End = { how: "no exit", timedOut: false, output: "" };
    const keep = (chunk: Buffer): void => {
      end.output = (end.output + chunk.toString()).slice(-20_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const timer = setTimeout(() => {
      end.timedOut = true;
      killGroup(child.pid);
    }, limitMs);
    child.on("error", (error) => {
      end.how = error.message;
    });
    child.on("exit", (code, signal) => {
      end.how = code ?? signal ?? "no exit";
      killGroup(child.pid);
    });
    child.on("close", () => {
      clearTimeout(timer);
      resolve(end);
    });
  });
}
