/**
 * A process made to be killed: opens a store, prints what it found, then writes rows, takes each up and acknowledges
 * it together with its effect, printing each step once its commit has resolved. Rows that an earlier process left are
 * handled first. KILL_AT=POINT:N ends it at that point of its transaction number N.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import type { Store } from "../../src/ports/store.ts";
import { killDrivers } from "./kill_drivers.ts";
import { KillingDriver, killPoints } from "./killing_driver.ts";
import { effectOf, effectSpace, leaseLostExit, numberedRow, numberedRows } from "./store_rows.ts";

const senders = 8;
const [name = "", location = ""] = process.argv.slice(2);
const found = killDrivers.find((driver) => driver.name === name);
if (found === undefined) throw new Error(`no driver ${name}`);

const driver = killing(await found.open(location));
const options = { clock: systemClock(), random: systemRandom(), leaseMs: 900 };
const store = await openSqlStore(driver, options, AbortSignal.timeout(20_000));
void store.lost.then((reason) => {
  print({ lost: reason });
  process.exit(leaseLostExit);
});

const rows = await numberedRows(store);
const torn = rows.filter((row) => !row.whole).map((row) => row.seq);
const seqs = rows.map((row) => row.seq);
const { claimed } = await store.mailboxCounts();
print({ opened: { unclean: store.opened.unclean, torn, seqs, stuck: claimed } });

let lastSeq = store.opened.lastSeq;
for (const seq of seqs) await handle(store, seq);
await Promise.all(Array.from({ length: senders }, () => send(store)));

function killing(inner: SqlDriver): SqlDriver {
  const [word, number] = (process.env["KILL_AT"] ?? "").split(":");
  const point = killPoints.find((each) => each === word);
  return point === undefined
    ? inner
    : new KillingDriver(inner, point, Number(number), () => print({ inside: true }));
}

/** Every fourth row stays, claimed, for the process that comes after. */
async function send(to: Store): Promise<never> {
  for (;;) {
    const seq = ++lastSeq;
    await to.commit([{ kind: "mailbox.put", row: numberedRow(seq) }]);
    print({ put: seq });
    if (seq % 4 === 0) await to.commit([{ kind: "mailbox.claim", seq }]);
    else await handle(to, seq);
  }
}

/** Claims a row, then has its effect and acknowledges it in one commit. */
async function handle(to: Store, seq: number): Promise<void> {
  await to.commit([{ kind: "mailbox.claim", seq }]);
  print({ claimed: seq });
  const value = new Uint8Array([(await effectOf(to, seq)) + 1]);
  print({ acking: seq });
  await to.commit([
    { kind: "record.put", space: effectSpace, key: String(seq), value },
    { kind: "mailbox.ack", seq },
  ]);
  print({ acked: seq });
}

/** At once, so that nothing said is lost with the process. */
function print(line: object): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) rest = rest.subarray(writeSome(rest));
}

/** The pipe does not block: it is full while the reader is busy. */
function writeSome(bytes: Buffer): number {
  try {
    return writeSync(1, bytes);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}
