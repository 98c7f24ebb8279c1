import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { FromNode, ToNode } from "./messages.ts";

/** Time for a node to stop before its process is ended by force, milliseconds; a little over the node's own deadline. */
const stopLimitMs = 20_000;

/** A process that loads an app and, once told to, serves it. A fresh one per version is the only sure way to load changed modules. */
export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #told = new Set<FromNode>();
  #onNews: (() => void)[] = [];
  #code: number | undefined;

  /** @param env what is added to the environment of this process. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [...selfCommand(), "dev-node", ...args], {
      env: { ...process.env, ...env },
      // Nothing is written to its input: that it ends tells the node that this process is gone.
      stdio: ["pipe", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (message) => {
      this.#told.add(message as FromNode);
      this.#news();
    });
    this.#child.on("error", () => this.#ended(1));
    this.#child.on("exit", (code) => this.#ended(code ?? 1));
  }

  /** The exit code, once it has ended. */
  get code(): number | undefined {
    return this.#code;
  }

  /** Whether it got so far before it ended. */
  async reached(point: FromNode): Promise<boolean> {
    while (!this.#told.has(point) && this.#code === undefined) await this.#nextNews();
    return this.#told.has(point);
  }

  /** Resolves with the exit code. */
  async ended(): Promise<number> {
    while (this.#code === undefined) await this.#nextNews();
    return this.#code;
  }

  serve(): void {
    this.#send("serve");
  }

  /** Stops gracefully, then by force. Resolves with the exit code. */
  async stop(): Promise<number> {
    const force = setTimeout(() => this.#child.kill("SIGKILL"), stopLimitMs);
    this.#send("stop");
    const code = await this.ended();
    clearTimeout(force);
    return code;
  }

  #send(message: ToNode): void {
    if (this.#code === undefined && this.#child.connected) this.#child.send(message);
  }

  #ended(code: number): void {
    this.#code ??= code;
    this.#news();
  }

  #news(): void {
    const waiting = this.#onNews;
    this.#onNews = [];
    for (const wake of waiting) wake();
  }

  #nextNews(): Promise<void> {
    return new Promise((resolve) => this.#onNews.push(resolve));
  }
}

/** How this very command line was started, for its own runtime. */
function selfCommand(): string[] {
  const script = process.argv[1] ?? "";
  return "Deno" in globalThis ? ["run", "-A", script] : [...process.execArgv, script];
}
