import type { QueueMessage } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import type { HeldMessage } from "./held_message.ts";
import type { QueueRow } from "./queue_row.ts";

/** Where messages go that were handed out. */
export interface MessageKeeper {
  complete(claim: Claim, response: unknown): Promise<void>;
  giveBack(claim: Claim, delayMs: number | undefined): Promise<void>;
}

/** The right to complete a message: holds as long as the message is as it was handed out. */
export interface Claim {
  readonly message: HeldMessage;
  readonly row: QueueRow;
}

/** A message that was handed out. */
export class ReceivedMessage implements QueueMessage {
  readonly id: string;
  readonly queue: string;
  readonly body: unknown;
  readonly sentAt: number;
  readonly attempt: number;
  readonly #claim: Claim;
  /** None for a message that was deleted when it was handed out. */
  readonly #keeper: MessageKeeper | undefined;

  constructor(claim: Claim, keeper: MessageKeeper | undefined) {
    const { seq, name, body, sentAt, attempts } = claim.row;
    this.id = String(seq);
    this.queue = name;
    this.body = decodeCbor(body);
    this.sentAt = sentAt;
    this.attempt = attempts;
    this.#claim = claim;
    this.#keeper = keeper;
  }

  async complete(response?: unknown): Promise<void> {
    await this.#requireKeeper().complete(this.#claim, response);
  }

  async retry({ delayMs }: { readonly delayMs?: number } = {}): Promise<void> {
    await this.#requireKeeper().giveBack(this.#claim, delayMs);
  }

  #requireKeeper(): MessageKeeper {
    if (this.#keeper !== undefined) return this.#keeper;
    const message = `message ${this.id} was deleted when it was received; receive with completable: true`;
    throw new ActrError("queue.complete_not_configured", message);
  }
}
