import process from "node:process";
import { createInterface } from "node:readline";
import type { Profiler } from "./profiler.ts";

/** What a benchmark process does when it is asked to. */
export interface Worker {
  /** Told to the parent once it is ready. */
  readonly ready: unknown;
  /** Answers one question. */
  ask(question: never): Promise<unknown>;
  close(): Promise<void>;
}

/** What this process was started with. */
export function workerSetup<T>(): T {
  return JSON.parse(process.argv[2] ?? "{}") as T;
}

/** Answers the parent's questions, one JSON value a line, until it closes the pipe. */
export async function workerLoop(worker: Worker): Promise<void> {
  tell(worker.ready);
  for await (const line of createInterface({ input: process.stdin })) {
    const question: unknown = JSON.parse(line);
    tell(await answer(worker, question));
  }
  await worker.close();
  // Native addons and idle sockets would keep the process.
  process.exit(0);
}

async function answer(worker: Worker, question: unknown): Promise<unknown> {
  if (question === "usage") return usage();
  return await (isProfiling(question) ? profile(question.profile) : worker.ask(question as never));
}

/** What every process answers to `"usage"`: what it has taken of the machine. */
export interface Usage {
  /** Processor time so far, microseconds. */
  readonly cpuUs: number;
  /** Resident now. */
  readonly rssMb: number;
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, rssMb: process.memoryUsage.rss() / 2 ** 20 };
}

/** A question that every process answers: what it does until the next one. */
interface Profiling {
  readonly profile: "start" | "stop";
}

function isProfiling(question: unknown): question is Profiling {
  return typeof question === "object" && question !== null && "profile" in question;
}

let profiler: Profiler | undefined;

async function profile(what: Profiling["profile"]): Promise<unknown> {
  // Only where it is wanted: other runtimes have no such module.
  profiler ??= new (await import("./profiler.ts")).Profiler();
  return await profiler[what]();
}

function tell(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value ?? null)}\n`);
}
