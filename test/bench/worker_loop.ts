import process from "node:process";
import { createInterface } from "node:readline";

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
    tell(await worker.ask(JSON.parse(line) as never));
  }
  await worker.close();
  // Native addons and idle sockets would keep the process.
  process.exit(0);
}

function tell(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value ?? null)}\n`);
}
