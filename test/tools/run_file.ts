import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJUnit, type TestResult } from "./junit.ts";
import type { Runtime } from "./runtimes.ts";

const limitMs = Number(process.env["ROOST_TEST_FILE_LIMIT_MS"] ?? 240_000);

/** Runs one test file in a process of its own; a crash, a hang or silence is a failed test too. */
export async function runFile(runtime: Runtime, file: string): Promise<TestResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "roost-test-"));
  try {
    const report = join(folder, "junit.xml");
    const end = await execute(runtime.binary, runtime.args(file, report));
    const xml = await readFile(report, "utf8").catch(() => "");
    const results = readJUnit(xml, runtime.reportRoots).map((one) => ({
      runtime: runtime.name,
      file,
      ...one,
    }));
    // Node tells of a broken hook only in passing, and reports the tests that never ran.
    const cancelled = results.find((one) => one.error?.includes("cancelledByParent"));
    if (cancelled) cancelled.error += `\n${end.output}`;
    const trouble = troubleOf(end, results);
    if (trouble) {
      const error = `${trouble}\n${end.output}`;
      results.push({ runtime: runtime.name, file, name: "(process)", status: "failed", error });
    }
    return results;
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
  if (results.length === 0) return `The process reported no test (exit ${end.how}).`;
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

function execute(binary: string, args: readonly string[]): Promise<End> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
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
