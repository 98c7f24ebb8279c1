import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { root } from "../tools/root.ts";
import { findRuntime } from "../tools/runtimes.ts";
import { bundled } from "./bundle.ts";
import { intervalUs } from "./shares.ts";

/** How a benchmark process is started. */
export interface LaunchOptions {
  readonly runtime: string;
  /** Path of the script below `test/bench/`. */
  readonly script: string;
  readonly setup?: unknown;
  /** Processor to stay on, from 0. */
  readonly core?: number;
  /** Where `strace` writes its calls of fsync and fdatasync. */
  readonly traceTo?: string;
  /** Runs the script on Node as the package is built, not from its source: see {@link bundled}. */
  readonly built?: boolean;
  /** Folder for a CPU profile, which is written when the process ends. */
  readonly profileTo?: string | undefined;
  /** Its file. */
  readonly profile?: string | undefined;
  /** Lets the script collect garbage, where the runtime has to be told at its start. */
  readonly exposeGc?: boolean;
}

/** Whether a tool is on the path and works here. */
export function hasTool(name: string, ...args: string[]): boolean {
  try {
    execFileSync(name, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const canPin = availableParallelism() > 1 && hasTool("taskset", "-c", "1", "true");

/** Starts a script of the benchmark with its output piped. */
export async function launch(options: LaunchOptions): Promise<ChildProcess> {
  const { core, traceTo } = options;
  const pin = core === undefined || !canPin ? [] : ["taskset", "-c", String(core)];
  const trace =
    traceTo === undefined
      ? []
      : ["strace", "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o", traceTo];
  const [command = "", ...args] = [...pin, ...trace, ...(await commandLine(options))];
  return spawn(command, args, { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
}

async function commandLine(options: LaunchOptions): Promise<string[]> {
  const { runtime, script, setup, built = false, exposeGc = false } = options;
  const isNode = runtime.startsWith("node");
  // The thread that compiles TypeScript writes a profile, too, over that of the program.
  const bundles = isNode && (built || options.profile !== undefined);
  const path = bundles ? await bundled(script) : join(root, "test/bench", script);
  const rest = [path, JSON.stringify(setup ?? {})];
  const binary = binaryOf(runtime);
  const profile = options.profile === undefined ? [] : profilingTo(options.profile);
  if (runtime === "deno") {
    const flags = exposeGc ? ["--v8-flags=--expose-gc"] : [];
    return [binary, "run", "-A", "--no-check", ...profile, ...flags, ...rest];
  }
  if (!isNode) return [binary, "run", ...profile, ...rest];
  const compiler = path.endsWith(".ts") ? ["--import", "tsx"] : [];
  const gc = exposeGc ? ["--expose-gc"] : [];
  return [binary, ...gc, ...profile, ...compiler, ...rest];
}

function profilingTo(file: string): string[] {
  return [
    "--cpu-prof",
    `--cpu-prof-interval=${intervalUs}`,
    `--cpu-prof-dir=${dirname(file)}`,
    `--cpu-prof-name=${basename(file)}`,
  ];
}

const binaries = new Map<string, string>();

function binaryOf(runtime: string): string {
  const known = binaries.get(runtime);
  if (known !== undefined) return known;
  const binary = isThis(runtime) ? process.execPath : found(runtime);
  binaries.set(runtime, binary);
  return binary;
}

function isThis(runtime: string): boolean {
  const { deno, bun } = process.versions;
  return runtime === (deno !== undefined ? "deno" : bun !== undefined ? "bun" : "node");
}

function found(name: string): string {
  const runtime = findRuntime(name);
  if ("missing" in runtime) throw new Error(runtime.missing);
  return runtime.binary;
}
