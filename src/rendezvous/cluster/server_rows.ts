import type { Store } from "../../ports/store.ts";
import { RecordTable } from "../record_table.ts";

/** One server of a cluster, as its row in the store says. */
export interface ServerRow {
  /** Counts up: who joined later has a greater one, and nobody has one twice. */
  readonly number: number;
  /** Where the others reach it; absent when they cannot. */
  readonly peerUrl?: string;
  /** Its part of the serial numbers. */
  readonly worker: number;
  /** Goes up while it lives. */
  readonly beat: number;
}

const space = "rendezvous.servers";
const countSpace = "rendezvous.cluster";
const workers = 32;

/** The rows of a store. @throws ActrError `storage`. */
export function openRows(store: Store): Promise<RecordTable<ServerRow>> {
  return RecordTable.open<ServerRow>(store, space);
}

/** A new row, under a number that nobody had; with the worker of `before` for one that comes again. @throws ActrError `storage`. */
export async function enterRow(
  store: Store,
  table: RecordTable<ServerRow>,
  { peerUrl }: Pick<ServerRow, "peerUrl">,
  before?: ServerRow,
): Promise<ServerRow> {
  const counts = await RecordTable.open<number>(store, countSpace);
  const number = await counts.update("next", (last = 0) => last + 1);
  const worker = before?.worker ?? freeWorker([...table.values()]);
  const row = { number, worker, beat: 0, ...(peerUrl !== undefined && { peerUrl }) };
  return await table.update(rowKey(number), () => row);
}

/** One that nobody has; when all are taken, serials are told apart by what is reserved of them alone. */
function freeWorker(rows: readonly ServerRow[]): number {
  const taken = new Set(rows.map(({ worker }) => worker));
  for (let worker = 0; worker < workers; worker++) if (!taken.has(worker)) return worker;
  return 0;
}

/** Key of a row; keys ascend as the numbers do. */
export function rowKey(number: number): string {
  return String(number).padStart(10, "0");
}
