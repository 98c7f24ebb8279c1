import type { RecordEntry, StoreChange } from "../../ports/store.ts";
import { decodeRow, encodeRow } from "../state/stored_row.ts";

/** One message of a queue, as it is stored. */
export interface QueueRow {
  /** Ascends in order of arrival, from 1. */
  readonly seq: number;
  readonly name: string;
  /** Encoded: what its sender changes afterwards is not seen by who receives it. */
  readonly body: Uint8Array;
  /** Unix milliseconds. */
  readonly sentAt: number;
  /** Not handed out before, Unix milliseconds. */
  readonly availableAt: number;
  /** How often it was handed out. */
  readonly attempts: number;
}

/** Digits of the greatest whole number that is exact: keys of records ascend as their messages do. */
const seqDigits = 16;

/** The change that stores a message. */
export function putMessage(space: string, row: QueueRow): StoreChange {
  return { kind: "record.put", space, key: messageKey(row), value: encodeRow(row) };
}

/** The change that deletes a message. */
export function deleteMessage(space: string, row: QueueRow): StoreChange {
  return { kind: "record.delete", space, key: messageKey(row) };
}

/** A stored message. @throws ActrError `protocol.invalid_persisted_data`. */
export function readMessage({ key, value }: RecordEntry): QueueRow {
  return decodeRow(value, `message ${key}`);
}

function messageKey({ seq }: QueueRow): string {
  return `q:${seq.toString().padStart(seqDigits, "0")}`;
}
