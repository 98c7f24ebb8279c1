/**
 * A process made to be killed: opens a store, prints what it found, then writes rows, takes each up and acknowledges
 * it together with its effect, printing each step once its commit has resolved. Rows that an earlier process left are
 * handled first. Its options, as JSON, name its store and its end.
 */
import process from "node:process";
import { openSqlStore } from "../../adapters/sql/sql_store.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import type { Store } from "../../src/ports/store.ts";
import { openKillDriver } from "./kill_drivers.ts";
import { KillSwitch, type KillTime, leaseLostExit, say } from "./kill_switch.ts";
import { KillingDriver } from "./killing_driver.ts";
import { effectOf, effectSpace, numberedRow, numberedRows } from "./store_rows.ts";

/** What is started with what. */
export interface StoreWriterOptions {
  readonly driver: string;
  readonly location: string;
  readonly time: KillTime;
  /** Transactions that come through before the one that does not. */
  readonly passing: number;
}

const senders = 8;
const { time, passing, ...where }: StoreWriterOptions = JSON.parse(process.argv[2] ?? "");
const end = new KillSwitch(time, passing);
end.arm();
const driver = new KillingDriver(await openKillDriver(where), end);
const options = { clock: systemClock(), random: systemRandom(), leaseMs: 900 };
const store = await openSqlStore(driver, options, AbortSignal.timeout(50_000));
void store.lost.then((reason) => {
  say({ lost: reason });
  process.exit(leaseLostExit);
});

const rows = await numberedRows(store);
const torn = rows.filter((row) => !row.whole).map((row) => row.seq);
const seqs = rows.map((row) => row.seq);
const { claimed } = await store.mailboxCounts();
say({ opened: { recovered: store.opened.recovered, torn, seqs, stuck: claimed } });

let lastSeq = store.opened.lastSeq;
for (const seq of seqs) await handle(store, seq);
await Promise.all(Array.from({ length: senders }, () => send(store)));

/** Every fourth row stays, claimed, for the process that comes after. */
async function send(to: Store): Promise<never> {
  for (;;) {
    const seq = ++lastSeq;
    await to.commit([{ kind: "mailbox.put", row: numberedRow(seq) }]);
    say({ put: seq });
    if (seq % 4 === 0) await to.commit([{ kind: "mailbox.claim", seq }]);
    else await handle(to, seq);
  }
}

/** Claims a row, then has its effect and acknowledges it in one commit. */
async function handle(to: Store, seq: number): Promise<void> {
  await to.commit([{ kind: "mailbox.claim", seq }]);
  say({ claimed: seq });
  const value = new Uint8Array([(await effectOf(to, seq)) + 1]);
  say({ acking: seq });
  await to.commit([
    { kind: "record.put", space: effectSpace, key: String(seq), value },
    { kind: "mailbox.ack", seq },
  ]);
  say({ acked: seq });
}
