import type { ActorQueues, QueueDefinition, QueueMessage, ReceiveOptions } from "../actor.ts";
import { ActrError } from "../errors.ts";
import type { Timer } from "../ports/clock.ts";
import type { RecordEntry } from "../ports/store.ts";
import type { QueueResult, QueueSend } from "../protocol/actors/messages.ts";
import { withResolvers } from "../with_resolvers.ts";
import { buriedMessage } from "./buried.ts";
import { checkedBy } from "./check.ts";
import { actorSpace } from "./contents.ts";
import type { Instance } from "./instance.ts";
import { deleteMessage, putMessage, type QueueRow, readMessage } from "./queue_row.ts";
import { ReceivedMessage } from "./received_message.ts";
import { Receiver } from "./receiver.ts";

/** How a message is sent. */
export interface SendOptions {
  readonly delayMs?: number;
  /** Hears of its completion. */
  readonly onComplete?: (response: unknown) => void;
}

const defaultVisibilityMs = 30_000;
const defaultAttempts = 5;
const defaultRetryDelayMs = 1000;

/** The queues of one actor: rows that are written with the turn, and who waits for them. */
export class ActorMessages implements ActorQueues {
  readonly #instance: Instance;
  readonly #space: string;
  /** Messages that are stored, in order. */
  readonly #rows = new Map<number, QueueRow>();
  /** Handed out to be completed, by their timers of visibility. */
  readonly #claimed = new Map<number, Timer>();
  readonly #receivers = new Set<Receiver>();
  readonly #waiters = new Map<number, (response: unknown) => void>();
  #lastSeq = 0;
  /** Wakes receivers when a delayed message is available. */
  #timer: Timer | undefined;

  constructor(instance: Instance) {
    this.#instance = instance;
    this.#space = actorSpace(instance.id);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Takes what is stored. */
  restore(entries: readonly RecordEntry[]): void {
    for (const entry of entries) {
      const row = readMessage(entry);
      this.#rows.set(row.seq, row);
      this.#lastSeq = Math.max(this.#lastSeq, row.seq);
    }
    this.#armTimer();
  }

  send(name: string, body: unknown, { delayMs = 0, onComplete }: SendOptions = {}): void {
    this.#definition(name);
    const { maxQueueSize, maxQueueMessageBytes } = this.#instance.kind.options;
    if (this.#rows.size >= maxQueueSize) {
      const message = `the queues hold ${this.#rows.size} messages; send again later`;
      throw new ActrError("queue.full", message, { retryAfterMs: 1000 });
    }
    const now = this.#instance.components.clock.now();
    const seq = this.#lastSeq + 1;
    const row: QueueRow = { seq, name, body, sentAt: now, availableAt: now + delayMs, attempts: 0 };
    const { change, bytes } = putMessage(this.#space, row);
    if (bytes > maxQueueMessageBytes) {
      const message = `the message has ${bytes} bytes; ${maxQueueMessageBytes} are allowed`;
      throw new ActrError("queue.message_too_large", message);
    }
    this.#lastSeq = seq;
    this.#rows.set(seq, row);
    if (onComplete !== undefined) this.#waiters.set(seq, onComplete);
    this.#instance.saving.add(change);
    this.#serve();
  }

  /**
   * Puts a client's message in; resolves when it is on disk, or completed, or the time of a client that waits is up.
   * @throws ActrError `auth.forbidden`, `queue.invalid_payload`; as {@link ActorMessages.send}.
   */
  async sendFor(name: string, { body, wait, timeoutMs }: QueueSend): Promise<QueueResult> {
    const { context, saving, components, kind } = this.#instance;
    const definition = this.#definition(name);
    if ((await definition.canPublish?.(context, undefined)) === false) {
      throw new ActrError("auth.forbidden", `queue ${name} is not for this client`);
    }
    const message = await checkedBy(definition.message, body, "queue.invalid_payload");
    if (!wait) {
      this.send(name, message);
      await context.saveState();
      return { status: "completed" };
    }
    const ms = Math.min(timeoutMs ?? kind.options.actionTimeoutMs, kind.options.actionTimeoutMs);
    const { promise, resolve } = withResolvers<QueueResult>();
    const onComplete = (response: unknown): void => resolve({ status: "completed", response });
    this.send(name, message, { onComplete });
    saving.save();
    const { clock } = components;
    const timer = clock.timer(clock.now() + ms, () => resolve({ status: "timedOut" }));
    const result = await promise;
    timer.cancel();
    this.#forget(onComplete);
    return result;
  }

  async next(options: ReceiveOptions = {}): Promise<QueueMessage | undefined> {
    const [message] = await this.nextBatch({ ...options, count: 1 });
    return message;
  }

  nextBatch(options: ReceiveOptions = {}): Promise<readonly QueueMessage[]> {
    for (const name of options.names ?? []) this.#definition(name);
    const { stopping, components, work } = this.#instance;
    const receiver = new Receiver(options, components.clock, stopping.signal, () => {
      this.#receivers.delete(receiver);
    });
    this.#receivers.add(receiver);
    this.#serve();
    return work.count("run") > 0 ? this.#whileRunRests(receiver) : receiver.received;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<QueueMessage, void> {
    while (!this.#instance.stopping.signal.aborted) {
      const message = await this.next().catch((error: unknown) => {
        if (ActrError.is(error) && error.code === "actor.aborted") return undefined;
        throw error;
      });
      if (message !== undefined) yield message;
    }
  }

  /** A message that was handed out is done. */
  async complete(row: QueueRow, response: unknown): Promise<void> {
    if (!this.#release(row)) {
      throw new ActrError("queue.already_completed", `message ${row.seq} is completed already`);
    }
    this.#delete(row);
    const waiter = this.#waiters.get(row.seq);
    this.#waiters.delete(row.seq);
    if (waiter !== undefined) {
      this.#instance.saving.put({ emit: () => waiter(response), drop() {} });
    }
    await this.#instance.context.saveState();
  }

  /** A message that was handed out comes back, or becomes a dead letter after too many attempts. */
  async giveBack(row: QueueRow, delayMs?: number): Promise<void> {
    if (!this.#release(row)) {
      throw new ActrError("queue.already_completed", `message ${row.seq} is completed already`);
    }
    this.#retry(row, delayMs);
    await this.#instance.context.saveState();
  }

  /** Ends its timers; receivers end with the actor's signal. */
  close(): void {
    this.#timer?.cancel();
    for (const timer of this.#claimed.values()) timer.cancel();
  }

  /** Who sent a message and waited for its completion waits no longer. */
  #forget(onComplete: (response: unknown) => void): void {
    for (const [seq, waiter] of this.#waiters) if (waiter === onComplete) this.#waiters.delete(seq);
  }

  /** @throws ActrError `queue.not_found`. */
  #definition(name: string): QueueDefinition {
    const definition = this.#instance.kind.definition.queues?.[name];
    if (definition !== undefined) return definition;
    throw new ActrError("queue.not_found", `the actor has no queue ${JSON.stringify(name)}`);
  }

  /** While its `run` waits for a message, an actor may sleep. */
  async #whileRunRests(receiver: Receiver): Promise<readonly QueueMessage[]> {
    const { work } = this.#instance;
    work.end("run");
    try {
      return await receiver.received;
    } finally {
      work.begin("run");
    }
  }

  /** Hands out what is there to those that wait, in the order of both. */
  #serve(): void {
    for (const receiver of this.#receivers) {
      const rows = this.#available(receiver);
      if (rows.length > 0) receiver.take(rows.map((row) => this.#handOut(row, receiver)));
    }
    this.#armTimer();
  }

  #available({ names, count }: Receiver): QueueRow[] {
    const now = this.#instance.components.clock.now();
    const found: QueueRow[] = [];
    for (const row of this.#rows.values()) {
      if (found.length === count) break;
      if (row.availableAt > now || this.#claimed.has(row.seq)) continue;
      if (names === undefined || names.has(row.name)) found.push(row);
    }
    return found;
  }

  #handOut(row: QueueRow, { completable }: Receiver): QueueMessage {
    const taken = { ...row, attempts: row.attempts + 1 };
    if (!completable) this.#delete(row);
    else this.#claim(taken);
    return new ReceivedMessage(taken, completable ? this : undefined);
  }

  /** Counts the attempt on disk before the message is seen, so that a deadly one is. */
  #claim(row: QueueRow): void {
    const { clock } = this.#instance.components;
    const { visibilityMs = defaultVisibilityMs } = this.#definition(row.name);
    this.#rows.set(row.seq, row);
    this.#instance.saving.add(putMessage(this.#space, row).change);
    const timer = clock.timer(clock.now() + visibilityMs, () => {
      this.#claimed.delete(row.seq);
      this.#retry(row, 0);
    });
    this.#claimed.set(row.seq, timer);
  }

  #release(row: QueueRow): boolean {
    const timer = this.#claimed.get(row.seq);
    if (timer === undefined || this.#rows.get(row.seq) !== row) return false;
    timer.cancel();
    return this.#claimed.delete(row.seq);
  }

  #retry(row: QueueRow, delayMs?: number): void {
    const policy = this.#definition(row.name);
    const { maxAttempts = defaultAttempts, retryDelayMs = defaultRetryDelayMs } = policy;
    if (row.attempts >= maxAttempts) {
      const error = new ActrError(
        "internal",
        `handed out ${row.attempts} times and never completed`,
      );
      this.#instance.saving.add(buriedMessage(this.#instance, row, error));
      return this.#delete(row);
    }
    const pause = delayMs ?? retryDelayMs * 2 ** (row.attempts - 1);
    const later = { ...row, availableAt: this.#instance.components.clock.now() + pause };
    this.#rows.set(row.seq, later);
    this.#instance.saving.add(putMessage(this.#space, later).change);
    this.#serve();
  }

  #delete(row: QueueRow): void {
    this.#rows.delete(row.seq);
    this.#instance.saving.add(deleteMessage(this.#space, row));
  }

  #armTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock } = this.#instance.components;
    let next = Number.POSITIVE_INFINITY;
    for (const { seq, availableAt } of this.#rows.values()) {
      if (availableAt > clock.now() && !this.#claimed.has(seq)) next = Math.min(next, availableAt);
    }
    if (next < Number.POSITIVE_INFINITY) this.#timer = clock.timer(next, () => this.#serve());
  }
}
