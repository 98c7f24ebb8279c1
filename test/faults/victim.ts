import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { commandLine, thisRuntime } from "../fixtures/runtimes.ts";
import { type KillTime, type LastWords, leaseLostExit } from "./kill_switch.ts";

/** A process that has not ended by then hangs, milliseconds. */
const lifeLimitMs = 60_000;
/** Longest stay of a process at a point where it asked to be killed, milliseconds. */
const longestStayMs = 12;

/** How a process ended: where it was killed, or by itself and as it should. */
export type VictimEnd = KillTime | "stopped" | "lost its store";

/** A process made to be killed, which says JSON lines. */
export class Victim<Line extends object> {
  /** Fails when it ended otherwise than a {@link VictimEnd}. */
  readonly ended: Promise<VictimEnd>;
  readonly #process: ChildProcess;
  #killedAt: KillTime | undefined;
  readonly #what: string;
  #lastLine = "nothing";
  #errors = "";
  #overdue = false;

  /** @param file a TypeScript program in this folder, started with `options` as JSON. */
  constructor(file: string, options: object, onLine: (line: Line) => void) {
    const [command, args] = quickCommand(file);
    this.#what = `${file} ${JSON.stringify(options)}`;
    this.#process = spawn(command, [...args, JSON.stringify(options)], {
      // Its input ends with this process, so that no victim outlives whoever wants it dead.
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#process.stderr?.on("data", (chunk) => {
      this.#errors = `${this.#errors}${chunk}`.slice(-20_000);
    });
    this.ended = this.#run(onLine);
    // Whoever waits for something else first must not bring the whole run down.
    this.ended.catch(() => {});
  }

  /** Kills it after a while, wherever it is then. */
  killAfter(ms: number): void {
    setTimeout(() => {
      this.#killedAt ??= "any time";
      this.signal("SIGKILL");
    }, ms);
  }

  /** Sends it a signal, if it is there. By its id, since Deno's child processes take only the first signal. */
  signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, signal);
  }

  async #run(onLine: (line: Line) => void): Promise<VictimEnd> {
    const { stdout } = this.#process;
    if (stdout === null) throw new TypeError("the process has no output");
    const gone = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    const limit = setTimeout(() => {
      this.#overdue = true;
      this.signal("SIGKILL");
    }, lifeLimitMs);
    for await (const text of createInterface({ input: stdout })) this.#note(parse(text), onLine);
    await gone;
    clearTimeout(limit);
    return this.#end();
  }

  #note(line: Line & LastWords, onLine: (line: Line) => void): void {
    const { dying, lingers } = line;
    this.#lastLine = JSON.stringify(line);
    if (dying === undefined && lingers === undefined) return onLine(line);
    this.#killedAt = dying ?? lingers;
    if (lingers !== undefined) {
      setTimeout(() => this.signal("SIGKILL"), Math.random() * longestStayMs);
    }
  }

  #end(): VictimEnd {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === 0) return "stopped";
    if (exitCode === leaseLostExit) return "lost its store";
    if (signalCode === "SIGKILL" && this.#killedAt !== undefined) return this.#killedAt;
    const how = this.#overdue
      ? `was alive after ${lifeLimitMs} ms`
      : `ended with ${exitCode ?? signalCode}`;
    throw new Error(`${this.#what} ${how}, having said ${this.#lastLine}; ${this.#errors}`);
  }
}

/** The last line may be cut off. */
function parse<Line extends object>(text: string): Line & LastWords {
  try {
    return JSON.parse(text);
  } catch {
    return {} as Line;
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Packages with native code, or that are no modules. */
const notBundled = ["libsql", "@libsql/client", "ws"];
const bundles = new Map<string, string>();
let folder: string | undefined;

/** Program and arguments that run a file of this folder. Node starts from a bundle: its loader of TypeScript takes most of a second. */
function quickCommand(file: string): [string, string[]] {
  const source = fileURLToPath(new URL(file, import.meta.url));
  if (thisRuntime !== "node") return commandLine(thisRuntime, source);
  const bundle = bundles.get(file) ?? makeBundle(source, `${file}.mjs`);
  bundles.set(file, bundle);
  return [process.execPath, [bundle]];
}

function makeBundle(source: string, name: string): string {
  const out = join(bundleFolder(), name);
  const options = ["--bundle", "--platform=node", "--format=esm", "--log-level=error"];
  const external = notBundled.map((name) => `--external:${name}`);
  execFileSync(
    join(root, "node_modules/esbuild/bin/esbuild"),
    [source, ...options, ...external, `--outfile=${out}`],
    { cwd: root, stdio: "inherit" },
  );
  return out;
}

/** Beside the packages, as far as the bundles can tell. */
function bundleFolder(): string {
  if (folder !== undefined) return folder;
  const made = mkdtempSync(join(tmpdir(), "roost-faults-"));
  symlinkSync(join(root, "node_modules"), join(made, "node_modules"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  folder = made;
  return made;
}
