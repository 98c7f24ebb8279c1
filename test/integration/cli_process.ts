import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../tools/root.ts";
import { findRuntime } from "../tools/runtimes.ts";

/** The runtimes that the command runs on. */
export const runtimes = ["node", "deno", "bun"] as const;

/** One of {@link runtimes}. */
export type RuntimeName = (typeof runtimes)[number];

const before: Readonly<Record<RuntimeName, readonly string[]>> = {
  node: ["--import", "tsx"],
  deno: ["run", "-A"],
  bun: [],
};

function binaryOf(runtime: RuntimeName): string {
  const found = findRuntime(runtime);
  if ("missing" in found) throw new Error(found.missing);
  return found.binary;
}

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command `roost` in a process of its own. */
export class Roost implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #end: Promise<End>;
  out = "";
  err = "";

  constructor(runtime: RuntimeName, args: readonly string[], env: Record<string, string> = {}) {
    const binary = runtime === "node" ? process.execPath : binaryOf(runtime);
    const words = [...before[runtime], join(root, "src/cli/main.ts"), ...args];
    this.#child = spawn(binary, words, {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.on("data", (chunk) => (this.out += chunk));
    this.#child.stderr?.on("data", (chunk) => (this.err += chunk));
    this.#end = new Promise((resolve) => {
      this.#child.on("close", (code) => resolve({ code, out: this.out, err: this.err }));
    });
  }

  /** Runs a command to its end. */
  static async run(runtime: RuntimeName, ...args: string[]): Promise<End> {
    await using process = new Roost(runtime, args);
    return await process.end();
  }

  /** Resolves when the text matches; fails after a minute, or when the process ends before. */
  async says(pattern: RegExp, stream: "out" | "err" = "out"): Promise<RegExpExecArray> {
    let ended = false;
    void this.#end.then(() => (ended = true));
    for (let tries = 0; tries < 3_000; tries += 1) {
      const found = pattern.exec(this[stream]);
      if (found !== null) return found;
      if (ended) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`never said ${pattern}: ${this.out}\n${this.err}`);
  }

  /** The addresses that `--json` prints first. */
  async addresses(): Promise<Addresses> {
    const [line] = await this.says(/^\{.*\}$/m);
    return JSON.parse(line) as Addresses;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  end(): Promise<End> {
    return this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#end;
  }
}

/** Where a served node and its rendezvous are. */
export interface Addresses {
  readonly rendezvous: string;
  readonly node: { readonly id: string; readonly ws: string };
  readonly health: string;
  readonly store: string;
}

/** An app of its own in a folder that git does not see. */
export class AppFolder implements Disposable {
  readonly path: string;
  readonly file: string;

  constructor() {
    const results = join(root, ".results");
    mkdirSync(results, { recursive: true });
    this.path = mkdtempSync(join(results, "cli-"));
    this.file = join(this.path, "app.ts");
    this.answer("first");
  }

  /** Writes an app whose echo begins with `word`. */
  answer(word: string): void {
    this.write(
      "app.ts",
      `import { defineNode, service } from "@roost/edge";
import { EchoService } from "../../examples/echo/echo_pb.ts";
const echo = service(EchoService, {
  handlers: { echo: (request) => ({ reply: \`${word}: \${request.message}\` }) },
});
export const app = defineNode({ type: "acme:EchoService:1.0.0", services: [echo] });
`,
    );
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
