import { ActrError } from "../errors.ts";
import type { MailboxOptions } from "../options.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { Deque } from "./deque.ts";
import type { InboundMessage } from "./message.ts";

/** Counts of a mailbox (`spec/node.md` §8.1). */
export interface MailboxStatus {
  readonly queued: number;
  readonly inFlight: number;
  readonly queuedNormal: number;
  readonly queuedHigh: number;
  readonly bytes: number;
}

/** Hears of every change of depth. */
export type DepthObserver = (queued: number) => void;

/** A durable message whose row is not known to be on disk. */
interface Unwritten {
  where: "queued" | "claimed" | "withdrawn";
  readonly written: Promise<void>;
}

/** Collaborators of {@link Mailbox}. */
export interface MailboxComponents {
  readonly clock: Clock;
  readonly store: Store;
  /** Called after each enqueue, claim, ack and nack. */
  readonly onDepth: DepthObserver;
  /** Called when there is something to claim. */
  readonly onAvailable: () => void;
}

/**
 * The node's inbox: high priority first, first in first out within a priority, bounded.
 * Durable messages are in the store as well, until they are handled.
 */
export class Mailbox {
  readonly #components: MailboxComponents;
  readonly #options: MailboxOptions;
  readonly #normal = new Deque<InboundMessage>();
  readonly #high = new Deque<InboundMessage>();
  /** Messages that come back later, by the timer that brings them. */
  readonly #delayed = new Map<Timer, InboundMessage>();
  /** Durable messages whose row is on its way to the disk, or never got there. */
  readonly #unwritten = new Map<InboundMessage, Unwritten>();
  #closed = false;
  #depth = 0;
  #bytes = 0;
  #inFlight = 0;
  /** High messages handed out in a row while normal ones waited. */
  #highInRow = 0;

  constructor(components: MailboxComponents, options: MailboxOptions) {
    this.#components = components;
    this.#options = options;
  }

  status(): MailboxStatus {
    return {
      queued: this.#queued,
      inFlight: this.#inFlight,
      queuedNormal: this.#normal.size,
      queuedHigh: this.#high.size,
      bytes: this.#bytes,
    };
  }

  /** Nothing queued, delayed or in flight. */
  get idle(): boolean {
    return this.#depth === 0;
  }

  /** @throws ActrError `overloaded` with a hint when the mailbox takes no further message, of `size` bytes. */
  requireRoom(size = 0): void {
    const { maxDepth, maxBytes } = this.#options;
    if (this.#depth < maxDepth && this.#bytes + size <= maxBytes) return;
    throw new ActrError(
      "overloaded",
      `the mailbox holds ${this.#depth} messages, ${this.#bytes} bytes; send again later`,
      { retryAfterMs: 100 },
    );
  }

  /** Queues a volatile message. @throws ActrError `overloaded` with a hint when the mailbox is full. */
  enqueue(message: InboundMessage): void {
    this.#admit(message);
    this.#queue(message);
  }

  /**
   * Queues a durable message and puts it on disk; resolves when it is there. It may be handled before:
   * whoever sent it has been told nothing yet, and what the handler does reaches the disk in the same
   * commit or a later one. So a message that is handled within its turn costs one write, not two.
   * @throws ActrError `overloaded` when the mailbox is full; rejects with `storage`, `lease_lost`.
   */
  enqueueDurable(message: InboundMessage): Promise<void> {
    if (message.row === undefined) throw new TypeError("a durable message has a row");
    this.#admit(message);
    const written = this.#components.store
      .commit([{ kind: "mailbox.put", row: message.row }])
      .then(() => void this.#unwritten.delete(message));
    this.#unwritten.set(message, { where: "queued", written });
    this.#queue(message);
    return written;
  }

  /** Whether a message is on disk; waits until that is known. */
  async isWritten(message: InboundMessage): Promise<boolean> {
    if (message.row === undefined) return false;
    const unwritten = this.#unwritten.get(message);
    return unwritten === undefined || (await succeeds(unwritten.written));
  }

  /** Takes back a message that could not be written; false when it is in flight already. */
  withdraw(message: InboundMessage): boolean {
    const unwritten = this.#unwritten.get(message);
    if (unwritten?.where !== "queued") return false;
    unwritten.where = "withdrawn";
    this.#leave(message);
    return true;
  }

  /** Queues a message that the store already has, past every limit: it was accepted long ago. */
  restore(message: InboundMessage): void {
    this.#enter(message);
    const delayMs = (message.row?.notBefore ?? 0) - this.#components.clock.now();
    if (delayMs > 0) this.#queueLater(message, delayMs);
    else this.#queue(message);
  }

  /** The next message, now in flight; it stays so until `ack` or `nack`. */
  claim(): InboundMessage | undefined {
    return this.#claimed(this.#next());
  }

  /** The next message of high priority, claimed likewise. */
  claimHigh(): InboundMessage | undefined {
    return this.#high.size === 0 ? undefined : this.#claimed(this.#next(true));
  }

  /** Takes a volatile message that waits for nobody: at once in flight. @throws ActrError `overloaded` with a hint when the mailbox is full. */
  take(message: InboundMessage): void {
    this.#admit(message);
    this.#inFlight += 1;
  }

  /** A claimed message is done; what was durable about it is the caller's commit. */
  ack(message: InboundMessage): void {
    this.#inFlight -= 1;
    this.#unwritten.delete(message);
    this.#leave(message);
    this.#components.onDepth(this.#queued);
  }

  /** A claimed message comes back after `delayMs`, as `replacement` says. */
  nack(message: InboundMessage, replacement: InboundMessage, delayMs: number): void {
    this.#inFlight -= 1;
    this.#leave(message);
    this.#enter(replacement);
    this.#queueLater(replacement, delayMs);
  }

  /** Empties the queues and returns what was in them, delayed messages included. Durable messages stay in the store. */
  close(): InboundMessage[] {
    this.#closed = true;
    const left = [...this.#delayed.values()];
    for (const [timer, message] of this.#delayed) {
      timer.cancel();
      this.#leave(message);
    }
    this.#delayed.clear();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#leave(next);
      left.push(next);
    }
    return left;
  }

  get #queued(): number {
    return this.#normal.size + this.#high.size;
  }

  #claimed(message: InboundMessage | undefined): InboundMessage | undefined {
    if (message === undefined) return undefined;
    this.#inFlight += 1;
    const unwritten = this.#unwritten.get(message);
    if (unwritten !== undefined) unwritten.where = "claimed";
    this.#components.onDepth(this.#queued);
    return message;
  }

  #next(highOnly = false): InboundMessage | undefined {
    let message = this.#shift(highOnly);
    while (message !== undefined && this.#unwritten.get(message)?.where === "withdrawn") {
      this.#unwritten.delete(message);
      message = this.#shift(highOnly);
    }
    return message;
  }

  #shift(highOnly: boolean): InboundMessage | undefined {
    if (highOnly) return this.#high.shift();
    const takeHigh =
      this.#high.size > 0 && (this.#normal.size === 0 || this.#highInRow < this.#options.highBurst);
    this.#highInRow = takeHigh && this.#normal.size > 0 ? this.#highInRow + 1 : 0;
    return takeHigh ? this.#high.shift() : this.#normal.shift();
  }

  #admit(message: InboundMessage): void {
    this.requireRoom(message.size);
    this.#enter(message);
  }

  #enter(message: InboundMessage): void {
    this.#depth += 1;
    this.#bytes += message.size;
  }

  #leave(message: InboundMessage): void {
    this.#depth -= 1;
    this.#bytes -= message.size;
  }

  #queue(message: InboundMessage): void {
    (message.priority === 1 ? this.#high : this.#normal).push(message);
    this.#components.onDepth(this.#queued);
    this.#components.onAvailable();
  }

  #queueLater(message: InboundMessage, delayMs: number): void {
    // Only a durable message can come back this late, and the store has it.
    if (this.#closed) return this.#leave(message);
    const { clock } = this.#components;
    const timer = clock.timer(clock.now() + delayMs, () => {
      this.#delayed.delete(timer);
      this.#queue(message);
    });
    this.#delayed.set(timer, message);
  }
}

function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
