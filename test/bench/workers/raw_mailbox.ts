/** The baseline of the mailbox: one loop, one transaction per turn that inserts, selects and deletes. */
import { randomUUID } from "node:crypto";
import { LoadMeter, type LoadPlan, type LoadResult } from "../load.ts";
import { openRawSqlite } from "../raw_sqlite.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

/** As many bytes as our envelope of the same request adds to its content. */
const envelopeBytes = 96;

const { file } = workerSetup<{ readonly file: string }>();
const database = await openRawSqlite(file);
const insert = database.prepare("INSERT INTO mailbox VALUES (?, ?, ?, ?, ?, ?)");
const select = database.prepare("SELECT * FROM mailbox WHERE seq > ? ORDER BY seq LIMIT ?");
const remove = database.prepare("DELETE FROM mailbox WHERE seq = ?");
const begin = database.prepare("BEGIN IMMEDIATE");
const commit = database.prepare("COMMIT");
const sender = new Uint8Array(40);
let lastSeq = 0;

/** Takes in one message of each sender, and hands out and removes those of the turn before. */
function turn(senders: number, payload: Uint8Array): void {
  begin.run();
  const rows = select.all(lastSeq - senders, senders);
  for (let index = 0; index < senders; index += 1) {
    insert.run(++lastSeq, randomUUID(), sender, 0, Date.now(), payload);
  }
  for (const row of rows) remove.run((row as { readonly seq: number }).seq);
  commit.run();
}

async function ask({ inFlight, bytes, ms }: LoadPlan): Promise<LoadResult> {
  const payload = new Uint8Array(bytes + envelopeBytes);
  const meter = new LoadMeter(ms);
  for (let began = performance.now(), more = true; more; ) {
    await new Promise((resolve) => setImmediate(resolve));
    turn(inFlight, payload);
    const now = performance.now();
    for (let index = 0; index < inFlight; index += 1) more = meter.add(began, now);
    began = now;
  }
  return meter.result();
}

await workerLoop({ ready: null, ask, close: async () => {} });
