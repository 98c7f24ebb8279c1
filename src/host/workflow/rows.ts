import { ActrError, type ErrorCode } from "../../errors.ts";
import type { StoreChange } from "../../ports/store.ts";
import { encodeRow } from "../state/stored_row.ts";
import type { EntryKind, EntryState, RecordedError } from "./history.ts";

/** What one branch of a join or a race has come to. */
export interface BranchRecord {
  readonly state: EntryState;
  readonly output?: Uint8Array | undefined;
  readonly error?: RecordedError | undefined;
}

/** A message that a workflow has received. */
export interface MessageRecord {
  readonly id: string;
  readonly queue: string;
  readonly body: Uint8Array;
  readonly sentAt: number;
  readonly completed: boolean;
}

/** The iteration that a loop is in, and what that was given. */
export interface LoopPosition {
  readonly iteration: number;
  readonly state: Uint8Array;
  /** The first iteration with a step that may have to be undone. */
  readonly base: { readonly iteration: number; readonly state: Uint8Array };
}

/** Where an entry stands: the entry that it is part of, 0 for none, and which branch or iteration of that. */
export interface Place {
  readonly parent: number;
  readonly branch: string;
}

/**
 * One entry of a history, as it is stored. What user code gave is kept encoded: whoever reads it gets a copy. Times are
 * Unix milliseconds.
 */
export interface EntryRow extends Place {
  /** Ascends by creation, from 1; never used again. */
  readonly seq: number;
  readonly kind: EntryKind;
  readonly name: string;
  readonly state: EntryState;
  /** Tries that were begun. */
  readonly attempts: number;
  /** Tries that a crash cut short. */
  readonly interruptions: number;
  readonly createdAt: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly wakesAt?: number | undefined;
  /** Until when a sleep lasts. */
  readonly deadline?: number | undefined;
  readonly error?: RecordedError | undefined;
  readonly output?: Uint8Array | undefined;
  /** Whether the code says how it is undone. */
  readonly undo?: boolean | undefined;
  readonly rolledBackAt?: number | undefined;
  readonly rollbackError?: RecordedError | undefined;
  readonly loop?: LoopPosition | undefined;
  readonly message?: MessageRecord | undefined;
  readonly branches?: Readonly<Record<string, BranchRecord>> | undefined;
  readonly winner?: string | undefined;
  readonly originalKind?: EntryKind | undefined;
  readonly version?: { readonly resolved: number; readonly latest: number } | undefined;
}

/** A workflow, as it is stored beside its entries. */
export interface WorkflowRow {
  readonly state: EntryState;
  readonly output?: Uint8Array | undefined;
  readonly error?: RecordedError | undefined;
  /** Number of the last checkpoint: what came before is not undone. */
  readonly checkpoint?: number | undefined;
  /** Whether the code could not go on, and may once it has been mended. */
  readonly halted?: boolean | undefined;
  /** Where its line stands in the node's index of alarms, Unix milliseconds. */
  readonly wakesAt?: number | undefined;
  /** No entry has had a greater number. */
  readonly lastSeq: number;
}

/** Key of a workflow's own record; sorts before all entries. */
export const workflowKey = "!";
/** Digits of the greatest whole number that is exact: keys ascend as entries do. */
const seqDigits = 16;
const maxMessageLength = 1000;

/** The change that stores a workflow. */
export function putWorkflow(space: string, row: WorkflowRow): StoreChange {
  return { kind: "record.put", space, key: workflowKey, value: encodeRow(row) };
}

/** The change that stores an entry. */
export function putEntry(
  space: string,
  row: EntryRow,
): StoreChange & { readonly value: Uint8Array } {
  return { kind: "record.put", space, key: entryKey(row.seq), value: encodeRow(row) };
}

/** The change that deletes an entry. */
export function deleteEntry(space: string, seq: number): StoreChange {
  return { kind: "record.delete", space, key: entryKey(seq) };
}

/** A failure as it is kept. */
export function recorded(error: unknown): RecordedError {
  const { code, message } = ActrError.from(error);
  return { code, message: message.slice(0, maxMessageLength) };
}

/** What a failure that was kept is thrown as, the first time and at every replay. */
export function thrown({ code, message }: RecordedError): ActrError {
  return new ActrError(code as ErrorCode, message);
}

/** Whether an entry has come to an output: also one that was undone later. */
export function isDone({ state, endedAt, rolledBackAt }: EntryRow): boolean {
  if (endedAt === undefined || state === "failed") return false;
  return state !== "cancelled" || rolledBackAt !== undefined;
}

function entryKey(seq: number): string {
  return `e:${seq.toString().padStart(seqDigits, "0")}`;
}
