import type { DeadLetter, MailboxRow, RecordEntry, StoredAnswer } from "../../src/ports/store.ts";

/** Version of the lines, in the header. The first had no databases, and no line at its end. */
export const exportVersion = 2;

/** A value of SQL; what JSON does not tell apart is an object: bytes `{"base64": "…"}`, integers beyond 2^53, floats that look like integers. */
export type ExportValue =
  | null
  | number
  | string
  | Uint8Array
  | { readonly integer: string }
  | { readonly real: string };

/** One line about a database of an actor. */
export type DatabaseLine =
  /** A database begins. */
  | { readonly kind: "database"; readonly name: string; readonly userVersion: number }
  /** What makes a table, before all rows; then indexes, views and triggers. */
  | { readonly kind: "statement"; readonly sql: string }
  /** Rows of a table begin. */
  | { readonly kind: "table"; readonly name: string; readonly columns: readonly string[] }
  | { readonly kind: "row"; readonly values: readonly ExportValue[] };

/** One line of an export; bytes are written as `{"base64": "…"}`. */
export type ExportLine =
  /** The first line. */
  | { readonly kind: "roost.store"; readonly version: number }
  | { readonly kind: "message"; readonly row: MailboxRow }
  | { readonly kind: "deadLetter"; readonly letter: DeadLetter }
  /** Oldest first; the store that they come to numbers them anew. */
  | { readonly kind: "answer"; readonly answer: Omit<StoredAnswer, "seq"> }
  | ({ readonly kind: "record"; readonly space: string } & RecordEntry)
  | DatabaseLine
  /** The last line: how many there are between the first and it. */
  | { readonly kind: "end"; readonly lines: number };
