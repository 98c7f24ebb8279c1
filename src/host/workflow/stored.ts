import type { RecordEntry, Store } from "../../ports/store.ts";
import { workflowSpace } from "../contents.ts";
import { decodeRow } from "../state/stored_row.ts";
import { type EntryRow, type WorkflowRow, workflowKey } from "./rows.ts";

/** A workflow as the store has it. */
export interface StoredWorkflow {
  /** Undefined when it was never begun. */
  readonly workflow: WorkflowRow | undefined;
  /** By creation, with their lengths in bytes. */
  readonly entries: readonly { readonly row: EntryRow; readonly bytes: number }[];
}

const pageSize = 1000;

/** Reads the workflow of an actor, awake or asleep: one range of records. @throws ActrError `protocol.invalid_persisted_data`. */
export async function readWorkflow(store: Store, actorId: string): Promise<StoredWorkflow> {
  const space = workflowSpace(actorId);
  const records: RecordEntry[] = [];
  for (let after = ""; ; ) {
    const page = await store.records(space, after, pageSize);
    records.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
    after = last.key;
  }
  const own = records.find(({ key }) => key === workflowKey);
  const entries = records
    .filter((record) => record !== own)
    .map(({ key, value }) => ({
      row: decodeRow<EntryRow>(value, `entry ${key}`),
      bytes: value.length,
    }));
  return { workflow: own && decodeRow<WorkflowRow>(own.value, "the workflow"), entries };
}
