import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { checkDriver } from "../../adapters/sql/check.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import type { Random } from "../../src/ports/random.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { commandLine, thisRuntime } from "../fixtures/runtimes.ts";
import type { KillDriver } from "./kill_drivers.ts";
import type { KillPoint } from "./killing_driver.ts";
import { effectOf, leaseLostExit, numberedRows } from "./store_rows.ts";

const writer = fileURLToPath(new URL("./store_writer.ts", import.meta.url));
const childLimitMs = 30_000;
/** Longest life of a process that is killed from outside, once it has opened its store, milliseconds. */
const longestRunMs = { local: 80, remote: 400 };
/** Longest stay inside a transaction, milliseconds. */
const longestInsideMs = 10;
/** Most transactions of a process that kills itself; the first few belong to the opening. */
const mostTransactions = 40;

/** What came of a number of kills; all but the first two must be 0. */
export interface Tally {
  kills: number;
  /** Rows that were acknowledged, with their effect. */
  acknowledged: number;
  /** Rows put, or effects acknowledged, that are gone. */
  lost: number;
  /** Rows that came back, or had their effect twice. */
  doubled: number;
  /** Rows that nobody holds and nobody gets. */
  stuck: number;
  /** Torn rows, and what the check of the database found. */
  corrupt: number;
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return { kills: 0, acknowledged: 0, lost: 0, doubled: 0, stuck: 0, corrupt: 0 };
}

/** What processes said about rows before they were killed. */
interface Said {
  readonly put: Set<number>;
  /** About to be acknowledged. */
  readonly acking: Set<number>;
  readonly acked: Set<number>;
}

interface Line {
  readonly opened?: {
    readonly unclean: boolean;
    readonly torn: number[];
    readonly seqs: number[];
    readonly stuck: number;
  };
  readonly inside?: boolean;
  readonly put?: number;
  readonly acking?: number;
  readonly acked?: number;
}

/** One driver and one way to die: from outside at any time, or at a point of a commit. */
export interface KillSeriesOptions {
  readonly driver: KillDriver;
  readonly point: KillPoint | "any time";
  readonly kills: number;
  readonly random: Random;
}

/** Kills writers of one database one after the other, and examines what they leave. */
export async function killSeries(options: KillSeriesOptions): Promise<Tally> {
  await using folder = await temporaryFolder();
  await using place = await options.driver.place(folder.path);
  const said: Said = { put: new Set(), acking: new Set(), acked: new Set() };
  const tally = emptyTally();
  while (tally.kills < options.kills) {
    const life = new Life(options, place.location, said, tally);
    if (await life.run()) tally.kills += 1;
  }
  await examine(options.driver, place.location, said, tally);
  return tally;
}

/** One process, from its start to its violent end. */
class Life {
  readonly #said: Said;
  readonly #tally: Tally;
  readonly #runMs: number | undefined;
  readonly #insideMs: number;
  readonly #process: ChildProcess;
  #errors = "";

  constructor({ driver, point, random }: KillSeriesOptions, at: string, said: Said, tally: Tally) {
    this.#said = said;
    this.#tally = tally;
    const { local, remote } = longestRunMs;
    const longestMs = driver.remote ? remote : local;
    this.#runMs = point === "any time" ? random.next() * longestMs : undefined;
    this.#insideMs = random.next() * longestInsideMs;
    const [command, args] = commandLine(thisRuntime, writer);
    const killAt = `${point}:${Math.floor(random.next() * mostTransactions)}`;
    this.#process = spawn(command, [...args, driver.name, at], {
      env: { ...process.env, KILL_AT: killAt },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process.stderr?.on("data", (chunk) => {
      this.#errors += chunk;
    });
  }

  /** False when it was not killed: on a busy machine, a lease may run out first. */
  async run(): Promise<boolean> {
    const gone = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    const limit = setTimeout(() => this.#kill(), childLimitMs);
    if (this.#process.stdout === null) throw new TypeError("the writer has no output");
    for await (const text of createInterface({ input: this.#process.stdout })) {
      this.#note(parse(text));
    }
    await gone;
    clearTimeout(limit);
    if (this.#process.signalCode === "SIGKILL") return true;
    if (this.#process.exitCode === leaseLostExit) return false;
    throw new Error(`the writer ended by itself (${this.#process.exitCode}): ${this.#errors}`);
  }

  #kill(): void {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, "SIGKILL");
  }

  #note({ opened, inside, put, acking, acked }: Line): void {
    if (inside === true) setTimeout(() => this.#kill(), this.#insideMs);
    if (opened !== undefined) {
      this.#tally.corrupt += opened.torn.length;
      this.#tally.stuck += opened.stuck;
      checkRows(new Set(opened.seqs), this.#said, this.#tally);
      if (this.#runMs !== undefined) setTimeout(() => this.#kill(), this.#runMs);
    }
    if (put !== undefined) this.#said.put.add(put);
    if (acking !== undefined) this.#said.acking.add(acking);
    if (acked !== undefined) this.#said.acked.add(acked);
  }
}

/** Every row that was put and not about to be acknowledged is there; none that was acknowledged came back. */
function checkRows(found: ReadonlySet<number>, { put, acking, acked }: Said, tally: Tally): void {
  for (const seq of put) if (!acking.has(seq) && !found.has(seq)) tally.lost += 1;
  for (const seq of acked) if (found.has(seq)) tally.doubled += 1;
}

/** Opens what the last process left: contents, effects, claims and the database itself. */
async function examine(
  driver: KillDriver,
  location: string,
  said: Said,
  tally: Tally,
): Promise<void> {
  const options = { clock: systemClock(), random: systemRandom(), leaseMs: 5_000 };
  const limit = AbortSignal.timeout(20_000);
  const store = await openSqlStore(await driver.open(location), options, limit);
  await examineStore(store, said, tally);
  await store.close();
  const again = await driver.open(location);
  const { problems } = await checkDriver(again);
  await again.close();
  tally.corrupt += problems.length;
  tally.acknowledged += said.acked.size;
}

async function examineStore(store: Store, said: Said, tally: Tally): Promise<void> {
  const rows = await numberedRows(store);
  const found = new Set(rows.map(({ seq }) => seq));
  tally.corrupt += rows.filter(({ whole }) => !whole).length;
  checkRows(found, said, tally);
  for (const seq of new Set([...said.put, ...said.acking])) {
    const effects = await effectOf(store, seq);
    if (effects === 0 && !found.has(seq)) tally.lost += 1;
    if (effects > 1 || (effects === 1 && found.has(seq))) tally.doubled += 1;
  }
  await store.commit([...found].map((seq) => ({ kind: "mailbox.claim", seq }) as const));
  const { claimed } = await store.mailboxCounts();
  tally.stuck += found.size - claimed;
  await store.commit([...found].map((seq) => ({ kind: "mailbox.ack", seq }) as const));
  tally.stuck += (await store.mailboxRows(0, 9)).length;
}

/** The last line may be cut off. */
function parse(text: string): Line {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
