/** The baseline of the mailbox: the same requests of the same senders, and a group commit by hand over the bare SQLite binding. */
import { durableRequest, echoBody } from "../bench_service.ts";
import { closedLoop, type LoadPlan, type LoadResult } from "../load.ts";
import { rawMailbox } from "../raw_mailbox.ts";
import { openRawSqlite } from "../raw_sqlite.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

const { file, remembers = false } = workerSetup<{
  readonly file: string;
  readonly remembers?: boolean;
}>();
const { database, binding } = await openRawSqlite(file);
const mailbox = rawMailbox(database, remembers);

async function settled(): Promise<void> {
  while (!mailbox.idle()) await new Promise((resolve) => setTimeout(resolve, 0));
}

function ask(plan: LoadPlan): Promise<LoadResult> {
  const payload = echoBody(plan.bytes);
  const send = (): Promise<void> =>
    new Promise((resolve) => mailbox.put(durableRequest(payload), resolve));
  return closedLoop(send, plan, settled);
}

await workerLoop({ ready: { binding }, ask, close: async () => {} });
