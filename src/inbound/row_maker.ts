import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { MailboxRow, Priority } from "../ports/store.ts";

/** A row whose id is drawn when somebody asks for it: most rows are handled before they reach the disk or a log. */
class NewRow implements MailboxRow {
  readonly seq: number;
  readonly from: Uint8Array;
  readonly payload: Uint8Array;
  readonly priority: Priority;
  readonly enqueuedAt: number;
  readonly attempts = 0;
  readonly notBefore = 0;
  readonly #random: Random;
  #id: string | undefined;

  constructor(
    random: Random,
    { seq, from, payload, priority, enqueuedAt }: Omit<MailboxRow, "id" | "attempts" | "notBefore">,
  ) {
    this.seq = seq;
    this.from = from;
    this.payload = payload;
    this.priority = priority;
    this.enqueuedAt = enqueuedAt;
    this.#random = random;
  }

  get id(): string {
    this.#id ??= this.#random.uuid();
    return this.#id;
  }
}

/** Makes the mailbox rows of one store: the only place that numbers them, since their numbers ascend. */
export class RowMaker {
  readonly #clock: Clock;
  readonly #random: Random;
  #lastSeq: number;

  /** @param lastSeq the greatest sequence number that the store has seen. */
  constructor(
    components: { readonly clock: Clock; readonly random: Random },
    { lastSeq }: { readonly lastSeq: number },
  ) {
    this.#clock = components.clock;
    this.#random = components.random;
    this.#lastSeq = lastSeq;
  }

  /** A new row, to be handed to the store in this very turn. */
  row(payload: Uint8Array, from: Uint8Array, priority: Priority): MailboxRow {
    this.#lastSeq += 1;
    const enqueuedAt = this.#clock.now();
    return new NewRow(this.#random, { seq: this.#lastSeq, from, payload, priority, enqueuedAt });
  }
}
