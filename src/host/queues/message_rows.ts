import { ActrError } from "../../errors.ts";
import type { RecordEntry } from "../../ports/store.ts";
import { buriedMessage } from "../buried.ts";
import { actorSpace } from "../contents.ts";
import type { Instance } from "../instance.ts";
import type { HeldMessage } from "./held_message.ts";
import { encodeBody, requireDelay, requireRoom } from "./queue_checks.ts";
import type { QueueLane } from "./queue_lane.ts";
import { deleteMessage, putMessage, type QueueRow, readMessage } from "./queue_row.ts";

/** The rows of one actor's messages: numbered, bounded, and written with the turn that changes them. */
export class MessageRows {
  readonly #instance: Instance;
  readonly #space: string;
  #size = 0;
  #lastSeq = 0;

  constructor(instance: Instance) {
    this.#instance = instance;
    this.#space = actorSpace(instance.id);
  }

  /** Messages in all queues, those included that are handed out and not completed. */
  get size(): number {
    return this.#size;
  }

  /** Before the first {@link MessageRows.read}: ids of deleted messages, of which nothing is left, do not come again. */
  leap(): void {
    const { record, components } = this.#instance;
    this.#lastSeq = Math.max(0, components.clock.now() - record.createdAt) * 1000;
  }

  /** A row that was stored. @throws ActrError `protocol.invalid_persisted_data`. */
  read(entry: RecordEntry): QueueRow {
    const row = readMessage(entry);
    this.#lastSeq = Math.max(this.#lastSeq, row.seq);
    return row;
  }

  /** A row of a new message, stored. @throws ActrError `queue.full`, `queue.message_too_large`; RangeError for a delay that is none. */
  create(lane: QueueLane, content: unknown, delayMs: number): QueueRow {
    const { kind, components, saving } = this.#instance;
    requireRoom(this.#size, kind.options);
    requireDelay(delayMs);
    const sentAt = components.clock.now();
    const body = encodeBody(content, kind.options);
    this.#lastSeq += 1;
    const [seq, name, availableAt] = [this.#lastSeq, lane.name, sentAt + delayMs];
    const row = { seq, name, body, sentAt, availableAt, attempts: 0 };
    saving.add(putMessage(this.#space, row));
    return row;
  }

  /** A row is held in memory: it counts until it is deleted. */
  hold(row: QueueRow, lane: QueueLane): HeldMessage {
    this.#size += 1;
    this.#instance.watch?.changed("queue");
    return { row, lane, dueAt: 0, place: 0, status: "ready" };
  }

  change(message: HeldMessage, row: QueueRow): void {
    message.row = row;
    this.#instance.saving.add(putMessage(this.#space, row));
  }

  delete(message: HeldMessage): void {
    message.status = "gone";
    this.#size -= 1;
    this.#instance.watch?.changed("queue");
    this.#instance.saving.add(deleteMessage(this.#space, message.row));
  }

  /** Makes a dead letter of it. */
  bury(message: HeldMessage): void {
    const text = `handed out ${message.row.attempts} times and never completed`;
    const error = new ActrError("internal", text);
    this.#instance.saving.add(buriedMessage(this.#instance, message.row, error));
    this.delete(message);
  }
}
