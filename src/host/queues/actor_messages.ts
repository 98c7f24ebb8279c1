import type { QueueMessage, QueueSendOptions, ReceiveOptions } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { RecordEntry } from "../../ports/store.ts";
import { checkedBy, checkedNow } from "../check.ts";
import type { Instance } from "../instance.ts";
import type { StopReason } from "../lifecycle.ts";
import type { HeldMessage } from "./held_message.ts";
import { type IndexOwner, MessageIndex } from "./message_index.ts";
import { MessageRows } from "./message_rows.ts";
import { QueueAlarm } from "./queue_alarm.ts";
import { requireCount, requireDelay, requireOneOpen } from "./queue_checks.ts";
import type { QueueLane } from "./queue_lane.ts";
import { type Claim, type MessageKeeper, ReceivedMessage } from "./received_message.ts";
import { aborted, type Wanted } from "./receiver.ts";

/** Whose code receives: what ends its waits, and who is told of them. */
export interface ReceiveScope {
  readonly signal: AbortSignal;
  /** It begins to wait. */
  waits?(): void;
  /** It waits no longer. */
  goesOn?(): void;
  /** Takes over what is received, as {@link Wanted} says. */
  readonly takeOver?: (message: QueueMessage) => void;
}

const longestRetryMs = 3_600_000;

/** The messages of one actor: rows that are written with the turn, and what becomes of them. */
export class ActorMessages implements IndexOwner, MessageKeeper {
  readonly #instance: Instance;
  readonly #rows: MessageRows;
  readonly #index: MessageIndex;
  readonly #alarm: QueueAlarm;
  #closed = false;

  /** @param expect tells the host when the actor is to be woken, Unix milliseconds. */
  constructor(instance: Instance, expect: (atMs: number) => void) {
    this.#instance = instance;
    this.#alarm = new QueueAlarm(instance, expect);
    this.#rows = new MessageRows(instance);
    const { kind, components } = instance;
    this.#index = new MessageIndex(kind.definition.queues ?? {}, components.clock, this);
  }

  /** Messages in all queues, those included that are handed out and not completed. */
  get size(): number {
    return this.#rows.size;
  }

  /** Takes what is stored. Claims of an earlier life are void; messages of a queue that is no more stay where they are. */
  restore(entries: readonly RecordEntry[]): void {
    this.#rows.leap();
    for (const entry of entries) {
      if (this.#alarm.restore(entry)) continue;
      const row = this.#rows.read(entry);
      const lane = this.#index.find(row.name);
      if (lane !== undefined) this.#again(this.#rows.hold(row, lane));
      else this.#instance.log.warn("actor.queue_unknown", { queue: row.name, message_id: row.seq });
    }
  }

  /** Puts a message in. @throws ActrError `queue.*`, `actor.unsupported_value`. */
  send(name: string, body: unknown, { delayMs }: QueueSendOptions = {}): void {
    const lane = this.lane(name);
    this.put(lane, checkedNow(lane.definition.message, body, "queue.invalid_payload"), delayMs);
  }

  /** @throws ActrError `queue.not_found`. */
  lane(name: string): QueueLane {
    return this.#index.lane(name);
  }

  /** Puts in a message that is checked; returns its number. @throws ActrError `queue.full`, `queue.message_too_large`. */
  put(lane: QueueLane, body: unknown, delayMs = 0): number {
    this.#requireOpen();
    const row = this.#rows.create(lane, body, delayMs);
    this.#again(this.#rows.hold(row, lane));
    return row.seq;
  }

  /** The next messages, at least one unless the time is up. @throws ActrError `actor.aborted`, `queue.*`. */
  async receive(
    { names, signal, timeoutMs, completable = false, count = 1 }: ReceiveOptions,
    scope: ReceiveScope,
  ): Promise<readonly QueueMessage[]> {
    requireCount(count);
    const wanted = {
      lanes: this.#index.lanes(names),
      count,
      completable,
      takeOver: scope.takeOver,
    };
    const signals = signal === undefined ? [scope.signal] : [scope.signal, signal];
    if (signals.some((each) => each.aborted)) throw aborted();
    if (completable) requireOneOpen(wanted.lanes);
    let messages: readonly QueueMessage[] = this.#index.take(wanted);
    if (messages.length === 0 && timeoutMs !== 0) {
      scope.waits?.();
      const onEnd = (): void => scope.goesOn?.();
      messages = await this.#index.wait(wanted, { timeoutMs, signals, onEnd });
    }
    // The attempt is counted before the message is seen: one that ends the process becomes a dead letter all the same.
    if (completable && messages.length > 0) await this.#instance.context.saveState();
    return messages;
  }

  handOut(message: HeldMessage, { completable, takeOver }: Wanted): QueueMessage {
    const row = { ...message.row, attempts: message.row.attempts + 1 };
    if (takeOver !== undefined) {
      const received = new ReceivedMessage({ message, row }, undefined);
      this.#rows.delete(message);
      takeOver(received);
      return received;
    }
    if (!completable) {
      this.#complete(message, undefined);
      return new ReceivedMessage({ message, row }, undefined);
    }
    this.#rows.change(message, row);
    this.#index.claim(message, this.#now + message.lane.policy.visibilityMs);
    return new ReceivedMessage({ message, row }, this);
  }

  async complete(claim: Claim, response: unknown): Promise<void> {
    const { completion } = claim.message.lane.definition;
    const checked = await checkedBy(completion, response, "queue.invalid_completion_payload");
    this.#release(claim);
    this.#complete(claim.message, checked);
    this.#index.serve(claim.message.lane);
    await this.#instance.context.saveState();
  }

  async giveBack(claim: Claim, delayMs: number | undefined): Promise<void> {
    const { row, message } = claim;
    const { retryDelayMs } = message.lane.policy;
    const pause = delayMs ?? Math.min(retryDelayMs * 2 ** (row.attempts - 1), longestRetryMs);
    requireDelay(pause);
    this.#release(claim);
    this.#rows.change(message, { ...row, availableAt: this.#now + pause });
    this.#again(message);
    await this.#instance.context.saveState();
  }

  /** A message that was taken over is done. Who waits for that hears of it when it is on disk. */
  completed(seq: number, response: unknown): void {
    const { components, id, saving } = this.#instance;
    const { completions } = components;
    if (!completions.has(id, seq)) return;
    saving.put({ emit: () => completions.tell(id, seq, response), drop() {} });
  }

  lapsed(message: HeldMessage): void {
    this.#again(message);
  }

  unclaimed(): void {
    this.#alarm.leave();
  }

  /** `run` waits for messages. */
  runRests(): void {
    this.#alarm.runRests();
    if (this.size > 0) this.#alarm.ringBy(this.#now);
  }

  /** `run` waits no longer. */
  runGoesOn(): void {
    this.#alarm.runGoesOn();
  }

  /** Before a stop: sees to it that the actor is woken when there is a message for its `run`. */
  settle(reason: StopReason): void {
    this.#alarm.settle(reason, this.#index);
  }

  /** Ends its timers; who waits ends with the actor's signal. Whoever still has a message of it can do nothing with that. */
  close(): void {
    this.#closed = true;
    this.#index.close();
  }

  get #now(): number {
    return this.#instance.components.clock.now();
  }

  #requireOpen(): void {
    if (this.#closed) throw new ActrError("actor.stopping", "the actor has stopped; try again");
  }

  /** A message can be handed out when its time comes, or becomes a dead letter after too many attempts. */
  #again(message: HeldMessage): void {
    const { row, lane } = message;
    if (row.attempts >= lane.policy.maxAttempts) this.#rows.bury(message);
    else {
      this.#alarm.ringBy(row.availableAt);
      this.#index.add(message, row.availableAt);
    }
    this.#index.serve(lane);
  }

  #complete(message: HeldMessage, response: unknown): void {
    this.#rows.delete(message);
    this.completed(message.row.seq, response);
  }

  /** @throws ActrError `queue.already_completed`, `queue.timed_out` for what is not held by its receiver any more. */
  #release({ message, row }: Claim): void {
    this.#requireOpen();
    if (message.status === "claimed" && message.row === row) return this.#index.release(message);
    if (message.status === "gone") {
      throw new ActrError("queue.already_completed", `message ${row.seq} is completed already`);
    }
    const text = `message ${row.seq} is in its queue again: it was given back, or its time was up`;
    throw new ActrError("queue.timed_out", text);
  }
}
