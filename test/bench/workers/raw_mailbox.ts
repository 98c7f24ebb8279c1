/** The baseline of the mailbox: one loop over the bare SQLite binding. */
import { LoadMeter, type LoadPlan, type LoadResult } from "../load.ts";
import { rawMailbox, type Turn } from "../raw_mailbox.ts";
import { openRawSqlite } from "../raw_sqlite.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const { file, remembers = false } = workerSetup<{
  readonly file: string;
  readonly remembers?: boolean;
}>();
const { database, binding } = await openRawSqlite(file);
let turn: Turn | undefined;

async function ask({ inFlight, bytes, ms }: LoadPlan): Promise<LoadResult> {
  turn ??= rawMailbox(database, bytes, remembers);
  const meter = new LoadMeter(ms);
  for (let began = performance.now(), more = true; more; ) {
    await new Promise((resolve) => setImmediate(resolve));
    turn(inFlight);
    const now = performance.now();
    for (let index = 0; index < inFlight; index += 1) more = meter.add(began, now);
    began = now;
  }
  return meter.result();
}

await workerLoop({ ready: { binding }, ask, close: async () => {} });
