import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { type LaunchOptions, launch } from "./launch.ts";
import { noteReady, profileFile } from "./profile_file.ts";

/** How long a process may take to start, to answer and to end, milliseconds. */
const patienceMs = 120_000;

/** A benchmark process as its parent sees it: asked with one JSON line, it answers with one. */
export class WorkerProcess<Ready = unknown> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;
  readonly #ended: Promise<void>;
  ready!: Ready;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    const { stdout } = this.#child;
    if (stdout === null) throw new TypeError("the output is not piped");
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => this.#child.once("close", () => resolve()));
    this.#child.once("error", () => this.#child.kill("SIGKILL"));
    // A process that ended by itself is noticed by the answer that does not come.
    this.#child.stdin?.on("error", () => {});
  }

  /** Starts a process and waits until it is ready. @throws Error when it ends or says nothing in time. */
  static async start<Ready>(options: LaunchOptions): Promise<WorkerProcess<Ready>> {
    const { runtime, script, profileTo } = options;
    const profile = profileTo === undefined ? undefined : profileFile(profileTo, runtime, script);
    const child = await launch({ ...options, profile });
    const worker = new WorkerProcess<Ready>(`${script} on ${runtime}`, child);
    worker.ready = await worker.#answer<Ready>();
    if (profile !== undefined) noteReady(profile);
    return worker;
  }

  /** @throws Error when the process ends or says nothing in time. */
  ask<Answer>(question: unknown): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    return this.#answer<Answer>();
  }

  /** Closes its input and waits for its end, forced after a time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const force = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    this.#child.stdin?.end();
    await this.#ended;
    clearTimeout(force);
  }

  async #answer<Answer>(): Promise<Answer> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs);
    const { done, value } = await this.#lines.next();
    clearTimeout(timer);
    if (done === true) throw new Error(`${this.#name} ended, or said nothing for ${patienceMs} ms`);
    return JSON.parse(value) as Answer;
  }
}
