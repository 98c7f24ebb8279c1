import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root } from "../tools/root.ts";
import { findRuntime } from "../tools/runtimes.ts";

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
  /** Where Node writes a CPU profile when the process ends. */
  readonly profileTo?: string | undefined;
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
export function launch(options: LaunchOptions): ChildProcess {
  const { core, traceTo } = options;
  const pin = core === undefined || !canPin ? [] : ["taskset", "-c", String(core)];
  const trace =
    traceTo === undefined
      ? []
      : ["strace", "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o", traceTo];
  const [command = "", ...args] = [...pin, ...trace, ...commandLine(options)];
  return spawn(command, args, { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
}

function commandLine(options: LaunchOptions): string[] {
  const { runtime, script, setup, profileTo, exposeGc = false } = options;
  const rest = [join(root, "test/bench", script), JSON.stringify(setup ?? {})];
  const binary = binaryOf(runtime);
  if (runtime === "deno") {
    const flags = exposeGc ? ["--v8-flags=--expose-gc"] : [];
    return [binary, "run", "-A", "--no-check", ...flags, ...rest];
  }
  if (runtime === "bun") return [binary, "run", ...rest];
  const profile = profileTo === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileTo}`];
  const compiler = script.endsWith(".ts") ? ["--import", "tsx"] : [];
  const gc = exposeGc ? ["--expose-gc"] : [];
  return [binary, ...gc, ...profile, ...compiler, ...rest];
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
