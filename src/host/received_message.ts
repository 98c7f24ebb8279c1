import type { QueueMessage } from "../actor.ts";
import { ActrError } from "../errors.ts";
import type { QueueRow } from "./queue_row.ts";

/** Where messages go that were handed out. */
export interface MessageKeeper {
  complete(row: QueueRow, response: unknown): Promise<void>;
  giveBack(row: QueueRow, delayMs?: number): Promise<void>;
}

/** A message that was handed out. */
export class ReceivedMessage implements QueueMessage {
  readonly #row: QueueRow;
  /** None for a message that was deleted when it was handed out. */
  readonly #keeper: MessageKeeper | undefined;

  constructor(row: QueueRow, keeper: MessageKeeper | undefined) {
    this.#row = row;
    this.#keeper = keeper;
  }

  get id(): string {
    return String(this.#row.seq);
  }

  get queue(): string {
    return this.#row.name;
  }

  get body(): unknown {
    return this.#row.body;
  }

  get sentAt(): number {
    return this.#row.sentAt;
  }

  get attempt(): number {
    return this.#row.attempts;
  }

  async complete(response?: unknown): Promise<void> {
    await this.#requireKeeper().complete(this.#row, response);
  }

  async retry({ delayMs }: { readonly delayMs?: number } = {}): Promise<void> {
    await this.#requireKeeper().giveBack(this.#row, delayMs);
  }

  #requireKeeper(): MessageKeeper {
    if (this.#keeper !== undefined) return this.#keeper;
    const message = `message ${this.id} was deleted when it was received; receive with completable: true`;
    throw new ActrError("queue.complete_not_configured", message);
  }
}
