import { writeSync } from "node:fs";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import type { Store } from "../../src/ports/store.ts";
import { numberedRow, numberedRows } from "./store_rows.ts";

/**
 * A process made to be killed: opens the store named by its argument, prints what it found, then writes rows and
 * acknowledges some, printing each seq once its commit has resolved.
 */
const url = process.argv[2] ?? "";
const senders = 8;
const options = { clock: systemClock(), random: systemRandom() };
const store = await openStore(url, options, new AbortController().signal);
let lastSeq = store.opened.lastSeq;

const rows = await numberedRows(store);
const torn = rows.filter((row) => !row.whole).map((row) => row.seq);
print({ opened: { ...store.opened, torn, seqs: rows.map((row) => row.seq) } });
await Promise.all(Array.from({ length: senders }, () => send(store)));

/** Put, claim and acknowledge; every fourth row stays, claimed. */
async function send(to: Store): Promise<never> {
  for (;;) {
    const seq = ++lastSeq;
    await to.commit([{ kind: "mailbox.put", row: numberedRow(seq) }]);
    print({ put: seq });
    await to.commit([{ kind: "mailbox.claim", seq }]);
    print({ claimed: seq });
    if (seq % 4 === 0) continue;
    print({ acking: seq });
    await to.commit([{ kind: "mailbox.ack", seq }]);
    print({ acked: seq });
  }
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
