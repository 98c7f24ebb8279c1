import { ActrError } from "../../errors.ts";
import type { Store } from "../../ports/store.ts";
import { formatRecord, parseRecord, RecordTable } from "../record_table.ts";

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
/** Tries to enter: of all that enter at once, each round lets one in. */
const tries = 64;

/** The rows of a store. @throws ActrError `storage`. */
export function openRows(store: Store): Promise<RecordTable<ServerRow>> {
  return RecordTable.open<ServerRow>(store, space);
}

/**
 * A new row, under a number that nobody had; with the worker of `before` for one that comes again, else with one that nobody
 * has, also when several enter at once.
 * @throws ActrError `storage`; `overloaded` when others were faster each time.
 */
export async function enterRow(
  store: Store,
  table: RecordTable<ServerRow>,
  { peerUrl }: Pick<ServerRow, "peerUrl">,
  before?: ServerRow,
): Promise<ServerRow> {
  for (let attempt = 0; attempt < tries; attempt++) {
    // Read before the rows: who enters after that has moved it on, and then this try counts for nothing.
    const last = await store.record(countSpace, "next");
    await table.refresh();
    const number = (parseRecord<number>(last) ?? 0) + 1;
    const worker = before?.worker ?? freeWorker([...table.values()]);
    const row = { number, worker, beat: 0, ...(peerUrl !== undefined && { peerUrl }) };
    if (!(await entered(store, last, row))) continue;
    await table.load(rowKey(number));
    return row;
  }
  throw new ActrError("overloaded", "too many servers enter the cluster at once; start it again");
}

/** False when another server has entered since `last` was read. */
async function entered(
  store: Store,
  last: Uint8Array | undefined,
  row: ServerRow,
): Promise<boolean> {
  const { number } = row;
  const count = { space: countSpace, key: "next" };
  try {
    await store.commit([
      { kind: "record.expect", ...count, value: last ?? null },
      { kind: "record.put", ...count, value: formatRecord(number) },
      { kind: "record.put", space, key: rowKey(number), value: formatRecord(row) },
    ]);
    return true;
  } catch (error) {
    if (ActrError.from(error).code !== "lease_lost") throw error;
    return false;
  }
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
