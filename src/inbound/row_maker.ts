import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { MailboxRow, Priority } from "../ports/store.ts";

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
    return {
      seq: this.#lastSeq,
      id: this.#random.uuid(),
      from,
      payload,
      priority,
      enqueuedAt: this.#clock.now(),
      attempts: 0,
      notBefore: 0,
    };
  }
}
