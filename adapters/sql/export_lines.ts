import type { DeadLetter, MailboxRow, RecordEntry, StoredAnswer } from "../../src/ports/store.ts";

/** Version of the lines, in the header. */
export const exportVersion = 1;

/** One line of an export; bytes are written as `{"base64": "…"}`. */
export type ExportLine =
  /** The first line. */
  | { readonly kind: "roost.store"; readonly version: number }
  | { readonly kind: "message"; readonly row: MailboxRow }
  | { readonly kind: "deadLetter"; readonly letter: DeadLetter }
  /** Oldest first; the store that they come to numbers them anew. */
  | { readonly kind: "answer"; readonly answer: Omit<StoredAnswer, "seq"> }
  | ({ readonly kind: "record"; readonly space: string } & RecordEntry);
