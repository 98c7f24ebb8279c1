import type { SqlStatement } from "../../src/ports/sql_driver.ts";
import type { StoreChange } from "../../src/ports/store.ts";
import type { TakenOver } from "./take_over.ts";

/** Seqs reserved at a time: what a crash may leap over, and how rarely the reservation is written. */
const block = 1_000_000;

/** Numbers of mailbox rows: they ascend, and none is used again after a crash, since more are reserved than were used. */
export class MailboxSeqs {
  #last: number;
  #reserved: number;

  constructor({ lastSeq, seqReserved }: Pick<TakenOver, "lastSeq" | "seqReserved">) {
    this.#last = lastSeq;
    this.#reserved = seqReserved;
  }

  /** The greatest that was taken. */
  get last(): number {
    return this.#last;
  }

  /** Takes those of new rows; returns why they cannot be, if so. */
  take(changes: readonly StoreChange[]): RangeError | undefined {
    for (const change of changes) {
      if (change.kind !== "mailbox.put") continue;
      const { seq } = change.row;
      if (seq <= this.#last) {
        return new RangeError(`mailbox row ${seq} does not ascend; the last was ${this.#last}`);
      }
      this.#last = seq;
    }
    return undefined;
  }

  /** What is to be reserved together with a row of this number; undefined where that was done before. */
  toReserve(seq: number): number | undefined {
    return seq > this.#reserved ? seq + block : undefined;
  }

  /** A reservation is on disk. */
  reserved(upTo: number): void {
    this.#reserved = upTo;
  }
}

/** Writes a reservation. */
export function reservation(upTo: number): SqlStatement {
  return { sql: "UPDATE meta SET seq_reserved = ?", args: [upTo] };
}
