import { checkDriver } from "../../adapters/sql/check.ts";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import type { Random } from "../../src/ports/random.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import type { KillDriver } from "./kill_drivers.ts";
import type { KillTime } from "./kill_switch.ts";
import { countKill, emptyTally, type Tally } from "./kill_tally.ts";
import { effectOf, numberedRows } from "./store_rows.ts";
import type { StoreWriterOptions } from "./store_writer.ts";
import { Victim } from "./victim.ts";

/** Longest life of a process that is killed from outside, once it has opened its store, milliseconds. */
const longestRunMs = { local: 80, remote: 400 };
/** Most transactions of a process that kills itself; the first few belong to the opening. */
const mostTransactions = 40;

/** What processes said about rows before they were killed. */
interface Said {
  readonly put: Set<number>;
  /** About to be acknowledged. */
  readonly acking: Set<number>;
  readonly acked: Set<number>;
}

interface Line {
  readonly opened?: {
    readonly recovered: number;
    readonly torn: number[];
    readonly seqs: number[];
    readonly stuck: number;
  };
  readonly put?: number;
  readonly acking?: number;
  readonly acked?: number;
}

/** One database and the deaths of the processes that use it one after the other. */
export interface KillSeriesOptions {
  readonly driver: KillDriver;
  readonly times: readonly KillTime[];
  readonly random: Random;
}

/** Kills writers of one database one after the other, and examines what they leave. */
export async function storeSeries(options: KillSeriesOptions): Promise<Tally> {
  await using folder = await temporaryFolder();
  await using place = await options.driver.place(folder.path);
  const said: Said = { put: new Set(), acking: new Set(), acked: new Set() };
  const tally = emptyTally();
  for (const time of options.times) {
    // One that lost its lease was not killed: another takes its place.
    while (!(await live(options, time, place.location, said, tally)));
  }
  await examine(options.driver, place.location, said, tally);
  return tally;
}

/** One process, from its start to its end; whether it was killed. */
async function live(
  { driver, random }: KillSeriesOptions,
  time: KillTime,
  location: string,
  said: Said,
  tally: Tally,
): Promise<boolean> {
  const passing = Math.floor(random.next() * mostTransactions);
  const options: StoreWriterOptions = { driver: driver.name, location, time, passing };
  const victim = new Victim<Line>("./store_writer.ts", options, (line) => {
    note(line, said, tally);
    if (line.opened === undefined || time !== "any time") return;
    victim.killAfter(random.next() * longestRunMs[driver.remote ? "remote" : "local"]);
  });
  return countKill(tally, await victim.ended);
}

function note({ opened, put, acking, acked }: Line, said: Said, tally: Tally): void {
  if (opened !== undefined) {
    tally.redelivered += opened.recovered;
    tally.corrupt += opened.torn.length;
    tally.stuck += opened.stuck;
    checkRows(new Set(opened.seqs), said, tally);
  }
  if (put !== undefined) said.put.add(put);
  if (acking !== undefined) said.acking.add(acking);
  if (acked !== undefined) said.acked.add(acked);
}

/** Every row that was put and not about to be acknowledged is there; none that was acknowledged came back. */
function checkRows(found: ReadonlySet<number>, { put, acking, acked }: Said, tally: Tally): void {
  for (const seq of put) if (!acking.has(seq) && !found.has(seq)) tally.lost += 1;
  for (const seq of acked) if (found.has(seq)) tally.twice += 1;
}

/** Opens what the last process left: contents, effects, claims and the database itself. */
async function examine(
  driver: KillDriver,
  location: string,
  said: Said,
  tally: Tally,
): Promise<void> {
  const options = { clock: systemClock(), random: systemRandom(), leaseMs: 5_000 };
  const limit = AbortSignal.timeout(50_000);
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
    if (effects > 1 || (effects === 1 && found.has(seq))) tally.twice += 1;
  }
  await store.commit([...found].map((seq) => ({ kind: "mailbox.claim", seq }) as const));
  const { claimed } = await store.mailboxCounts();
  tally.stuck += found.size - claimed;
  await store.commit([...found].map((seq) => ({ kind: "mailbox.ack", seq }) as const));
  tally.stuck += (await store.mailboxRows(0, 9)).length;
}
