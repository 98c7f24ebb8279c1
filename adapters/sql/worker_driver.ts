import { Worker } from "node:worker_threads";
import { ActrError } from "../../src/errors.ts";
import type { Durability } from "../../src/options.ts";
import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from "../../src/ports/sql_driver.ts";
import type { WorkerFailure, WorkerFile, WorkerReport, WorkerTask } from "./worker_messages.ts";

const fromSource = import.meta.url.endsWith(".ts");

/** The thread's code: beside this file, or, in the built package, where the build puts entry points. */
const thread = new URL(
  fromSource ? "./worker_thread.ts" : "../adapters/sql/worker_thread.js",
  import.meta.url,
);

/** Who waits for a report. */
interface Waiting {
  resolve(report: WorkerReport): void;
  reject(error: unknown): void;
}

/**
 * Opens a file with the runtime's best SQLite in a thread of its own: while the disk is slow, the event loop goes on.
 * @throws ActrError `storage` when another process has the file, or it cannot be used.
 */
export async function openWorkerDriver(path: string, durability: Durability): Promise<SqlDriver> {
  const file: WorkerFile = { path, durability };
  const worker = startThread(file);
  const line = new WorkerLine(worker, path);
  try {
    const { name } = await line.opened();
    return new WorkerDriver(name, line);
  } catch (error) {
    await line.end();
    throw error;
  }
}

/** Threads of Node do not inherit what lets it read TypeScript. */
function startThread(workerData: WorkerFile): Worker {
  const plainNode = !("Deno" in globalThis || "Bun" in globalThis);
  if (!fromSource || !plainNode) return new Worker(thread, { workerData });
  const load = `import("tsx/esm/api").then((tsx) => (tsx.register(), import("${thread.href}")))`;
  return new Worker(load, { eval: true, workerData });
}

class WorkerDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous = false;
  readonly exclusive = true;
  readonly remote = false;
  readonly #line: WorkerLine;
  #closed: Promise<void> | undefined;

  constructor(name: string, line: WorkerLine) {
    this.name = name;
    this.#line = line;
  }

  async run(statement: SqlStatement): Promise<void> {
    await this.#line.ask({ kind: "run", statement: sendable(statement) });
  }

  async all(statement: SqlStatement): Promise<SqlRow[]> {
    return (await this.#line.ask({ kind: "all", statement: sendable(statement) })) ?? [];
  }

  async batch(statements: readonly SqlStatement[], guard?: SqlStatement): Promise<void> {
    const task = { statements: statements.map(sendable), guard: guard && sendable(guard) };
    await this.#line.ask({ kind: "batch", ...task });
  }

  close(): Promise<void> {
    this.#closed ??= this.#line.close();
    return this.#closed;
  }
}

/** Tasks to a worker and its reports, both in order. It keeps the process alive only while somebody waits. */
class WorkerLine {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #waiting: Waiting[] = [];
  /** Why no further task is taken, if so. */
  #refusal: ActrError | undefined;

  constructor(worker: Worker, path: string) {
    this.#worker = worker;
    this.#path = path;
    worker.on("message", (report: WorkerReport) => this.#settle(report));
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", () => this.#fail("its thread has ended"));
  }

  async opened(): Promise<{ readonly name: string }> {
    const report = await this.#wait();
    return report.kind === "opened" ? report : { name: this.#path };
  }

  /** Has the worker do a task; resolves with the rows that it found. @throws ActrError as the driver in it does. */
  async ask(task: WorkerTask): Promise<SqlRow[] | undefined> {
    if (this.#refusal !== undefined) throw this.#refusal;
    this.#worker.postMessage(task);
    const report = await this.#wait();
    return report.kind === "done" ? report.rows : undefined;
  }

  /** Has the worker close the file after all that it was given, and ends the thread; nothing more is taken. */
  async close(): Promise<void> {
    const closed = this.ask({ kind: "close" });
    this.#refusal ??= this.#failure("it is closed");
    try {
      await closed;
    } finally {
      await this.end();
    }
  }

  /** Ends the thread. Idempotent. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #wait(): Promise<WorkerReport> {
    if (this.#waiting.length === 0) this.#worker.ref();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #settle(report: WorkerReport): void {
    const first = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if (report.kind === "failed") first?.reject(revive(report.failure));
    else first?.resolve(report);
  }

  #fail(cause: unknown): void {
    const failure = this.#failure(cause);
    this.#refusal ??= failure;
    for (const { reject } of this.#waiting.splice(0)) reject(failure);
  }

  #failure(cause: unknown): ActrError {
    const text = cause instanceof Error ? cause.message : String(cause);
    return new ActrError("storage", `${this.#path}: ${text}; open the store again`, {
      cause,
      details: { fault: "database" },
    });
  }
}

function revive({ code, message, details }: WorkerFailure): ActrError {
  return new ActrError(code, message, details === undefined ? {} : { details });
}

/** A view would take its whole buffer along. */
function sendable({ sql, args }: SqlStatement): SqlStatement {
  return { sql, args: args.map(compact) };
}

function compact(value: SqlValue): SqlValue {
  const isPart = value instanceof Uint8Array && value.byteLength !== value.buffer.byteLength;
  return isPart ? value.slice() : value;
}
