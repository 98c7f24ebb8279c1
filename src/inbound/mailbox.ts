import { ActrError } from "../errors.ts";
import type { MailboxOptions } from "../options.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { MailboxCounts, MailboxRow, Priority, Store, StoreChange } from "../ports/store.ts";
import type { InboundMessage } from "./message.ts";
import { type Page, Shelf } from "./shelf.ts";

/** Counts of a mailbox (`spec/node.md` §8.1). What is queued counts wherever it waits, in memory or in the store alone. */
export interface MailboxStatus {
  readonly queued: number;
  readonly inFlight: number;
  readonly queuedNormal: number;
  readonly queuedHigh: number;
  /** Of all messages, but for those of an earlier process that were not read yet. */
  readonly bytes: number;
}

/** A row read from the store, and what is to be handed out for it: nothing when it became a dead letter. */
export interface ReadRow {
  readonly row: MailboxRow;
  readonly message: InboundMessage | undefined;
}

/** Hears of every change of depth. */
export type DepthObserver = (queued: number) => void;

/** Hears that the row of a durable message is on disk, or what its commit failed with. */
export type Written = (message: InboundMessage, error: unknown) => void;

/** Collaborators of {@link Mailbox}. */
export interface MailboxComponents {
  readonly clock: Clock;
  readonly store: Store;
  /** Called after each enqueue, claim, ack and nack. */
  readonly onDepth: DepthObserver;
  /** Called when there is something to claim. */
  readonly onAvailable: () => void;
  /** Called when there may be rows to read: see {@link Mailbox.missing}. */
  readonly onMissing: () => void;
}

/**
 * The node's inbox: high priority first, first in first out within a priority, bounded.
 * Durable messages are in the store as well, until they are handled; those that do not fit the window of their
 * priority are in the store alone until their turn is near.
 */
export class Mailbox {
  readonly #components: MailboxComponents;
  readonly #options: MailboxOptions;
  readonly #normal: Shelf;
  readonly #high: Shelf;
  /** Messages that come back later, by the timer that brings them. */
  readonly #delayed = new Map<Timer, InboundMessage>();
  /** Messages whose row cannot be written. */
  readonly #lost = new WeakSet<InboundMessage>();
  /** Who waits to hear whether a row is on disk. */
  readonly #asking = new Map<InboundMessage, (written: boolean) => void>();
  #closed = false;
  #inFlight = 0;
  /** High messages handed out in a row while normal ones waited. */
  #highInRow = 0;

  constructor(components: MailboxComponents, options: MailboxOptions) {
    this.#components = components;
    this.#options = options;
    this.#normal = new Shelf(options);
    this.#high = new Shelf(options);
  }

  status(): MailboxStatus {
    return {
      queued: this.#queued,
      inFlight: this.#inFlight,
      queuedNormal: this.#normal.queued,
      queuedHigh: this.#high.queued,
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
    throw this.#overloaded();
  }

  /**
   * Queues a volatile message, behind everything of its priority that came before.
   * @throws ActrError `overloaded` with a hint when the mailbox, or the window of this priority, is full.
   */
  enqueue(message: InboundMessage): void {
    this.requireRoom(message.size);
    const shelf = this.#shelf(message);
    if (!shelf.hasRoom(message.size)) throw this.#overloaded();
    shelf.enter(message);
    shelf.follow(message);
    this.#tell();
  }

  /**
   * Queues a durable message and puts it on disk; `written` hears when it is there. It may be handled before:
   * whoever sent it has been told nothing yet, and what the handler does reaches the disk in the same
   * commit or a later one. So a message that is handled within its turn costs one write, not two. One that does
   * not fit the window, or whose priority waits in the store already, waits there too and is handled without its link.
   * @throws ActrError `overloaded` when the mailbox is full; `written` may hear `storage`, `lease_lost`, `overloaded`.
   */
  enqueueDurable(message: InboundMessage, written: Written): void {
    const { row } = message;
    if (row === undefined) throw new TypeError("a durable message has a row");
    this.requireRoom(message.size);
    const shelf = this.#shelf(message);
    if (!shelf.complete || !shelf.hasRoom(message.size))
      return this.#enqueueAside(message, row, written);
    message.unwritten = "queued";
    const put = [{ kind: "mailbox.put", row }] as const;
    this.#components.store.submit(put, (error) => this.#settle(message, error, written));
    shelf.pass(row.seq);
    shelf.enter(message);
    this.#queue(message);
  }

  #enqueueAside(message: InboundMessage, row: MailboxRow, written: Written): void {
    message.unwritten = "aside";
    const settle = (error?: unknown): void => this.#settle(message, error, written);
    void this.putAside(row).then(() => settle(), settle);
  }

  /**
   * Puts a new row into the store alone, past every limit, in one commit with what belongs to it; it is handed out
   * in its turn, once it is on disk. Rejects with what the commit fails with: then nothing was done.
   */
  putAside(row: MailboxRow, also: readonly StoreChange[] = []): Promise<void> {
    const shelf = this.#shelf(row);
    const { length } = row.payload;
    shelf.putAside(row.seq, length);
    const settle = (lostBytes?: number): void => {
      shelf.settle(lostBytes);
      this.#components.onMissing();
    };
    const written = this.#components.store.commit([{ kind: "mailbox.put", row }, ...also]).then(
      () => settle(),
      (error: unknown) => {
        settle(length);
        throw error;
      },
    );
    this.#components.onDepth(this.#queued);
    this.#components.onMissing();
    return written;
  }

  /** Whether a message is on disk; waits until that is known. */
  async isWritten(message: InboundMessage): Promise<boolean> {
    if (message.row === undefined || this.#lost.has(message)) return false;
    if (message.unwritten === undefined) return true;
    return new Promise((resolve) => this.#asking.set(message, resolve));
  }

  /** Takes back a message that could not be written; false when it is in flight already. */
  withdraw(message: InboundMessage): boolean {
    const { unwritten } = message;
    if (unwritten !== "aside" && unwritten !== "queued") return false;
    message.unwritten = "withdrawn";
    if (unwritten === "queued") this.#leave(message);
    return true;
  }

  /** What an earlier process left in the store is to be handed out, past every limit: it was accepted long ago. */
  expect(counts: MailboxCounts, lastSeq: number): void {
    this.#normal.expect(counts.queuedNormal, lastSeq);
    this.#high.expect(counts.queuedHigh, lastSeq);
    this.#components.onDepth(this.#queued);
  }

  /** The page of rows to be read from the store next, if messages of this priority are missing and there is room. */
  missing(priority: Priority): Page | undefined {
    return this.#closed ? undefined : this.#shelf({ priority }).missing();
  }

  /** Takes in the rows of a page that was {@link Mailbox.missing}; none when there were no more. */
  takeIn(priority: Priority, page: Page, rows: readonly ReadRow[]): void {
    if (this.#closed) return;
    const shelf = this.#shelf({ priority });
    const { opened } = this.#components.store;
    for (const { row, message } of rows) {
      shelf.reach(row.seq, row.seq > opened.lastSeq ? row.payload.length : 0);
      if (message !== undefined) this.#takeIn(shelf, message);
    }
    shelf.settlePage(page, rows.length);
    this.#tell();
  }

  /** A page could not be read, and is to be asked for again: volatile messages do not wait for it. */
  failToRead(priority: Priority): void {
    this.#shelf({ priority }).fail();
    this.#tell();
  }

  /** The next message, now in flight; it stays so until `ack` or `nack`. */
  claim(): InboundMessage | undefined {
    return this.#claimed(this.#next());
  }

  /** The next message of high priority, claimed likewise. */
  claimHigh(): InboundMessage | undefined {
    return this.#high.ready === 0 ? undefined : this.#claimed(this.#next(true));
  }

  /** Takes a volatile message that waits for nobody: at once in flight. @throws ActrError `overloaded` with a hint when the mailbox is full. */
  take(message: InboundMessage): void {
    this.requireRoom(message.size);
    this.#shelf(message).enter(message);
    this.#inFlight += 1;
  }

  /** A claimed message is done; what was durable about it is the caller's commit. */
  ack(message: InboundMessage): void {
    this.#inFlight -= 1;
    // Whether its row got to the disk does not matter any more.
    message.unwritten = undefined;
    this.#leave(message);
    this.#components.onDepth(this.#queued);
  }

  /** A claimed message comes back after `delayMs`, as `replacement` says. */
  nack(message: InboundMessage, replacement: InboundMessage, delayMs: number): void {
    this.#inFlight -= 1;
    this.#leave(message);
    this.#shelf(replacement).enter(replacement);
    this.#queueLater(replacement, delayMs);
  }

  /** Empties the queues and returns what was in memory, delayed messages included. Durable messages stay in the store. */
  close(): InboundMessage[] {
    this.#closed = true;
    const left = [...this.#delayed.values()];
    for (const [timer, message] of this.#delayed) {
      timer.cancel();
      this.#leave(message);
    }
    this.#delayed.clear();
    this.#normal.fail();
    this.#high.fail();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#leave(next);
      left.push(next);
    }
    return left;
  }

  /** What became of a message's row is known. */
  #settle(message: InboundMessage, error: unknown, written: Written): void {
    if (error === undefined) message.unwritten = undefined;
    else this.#lost.add(message);
    if (this.#asking.size > 0) {
      this.#asking.get(message)?.(error === undefined);
      this.#asking.delete(message);
    }
    written(message, error);
  }

  get #queued(): number {
    return this.#normal.queued + this.#high.queued;
  }

  get #depth(): number {
    return this.#normal.depth + this.#high.depth;
  }

  get #bytes(): number {
    return this.#normal.bytes + this.#high.bytes;
  }

  #shelf({ priority }: { readonly priority: Priority }): Shelf {
    return priority === 1 ? this.#high : this.#normal;
  }

  #overloaded(): ActrError {
    return new ActrError(
      "overloaded",
      `the mailbox holds ${this.#depth} messages, ${this.#bytes} bytes; send again later`,
      { retryAfterMs: 100 },
    );
  }

  #claimed(message: InboundMessage | undefined): InboundMessage | undefined {
    if (message === undefined) return undefined;
    this.#inFlight += 1;
    if (message.unwritten !== undefined) message.unwritten = "claimed";
    this.#components.onDepth(this.#queued);
    if (!this.#shelf(message).complete) this.#components.onMissing();
    return message;
  }

  #next(highOnly = false): InboundMessage | undefined {
    let message = this.#shift(highOnly);
    while (message?.unwritten === "withdrawn") message = this.#shift(highOnly);
    return message;
  }

  #shift(highOnly: boolean): InboundMessage | undefined {
    const normal = this.#normal;
    const high = this.#high;
    if (highOnly) return high.shift();
    const takeHigh =
      high.ready > 0 && (normal.ready === 0 || this.#highInRow < this.#options.highBurst);
    this.#highInRow = takeHigh && normal.queued > 0 ? this.#highInRow + 1 : 0;
    return takeHigh ? high.shift() : normal.shift();
  }

  #leave(message: InboundMessage): void {
    const shelf = this.#shelf(message);
    shelf.leave(message);
    if (!shelf.complete) this.#components.onMissing();
  }

  #takeIn(shelf: Shelf, message: InboundMessage): void {
    shelf.enter(message);
    const delayMs = (message.row?.notBefore ?? 0) - this.#components.clock.now();
    if (delayMs > 0) this.#queueLater(message, delayMs);
    else shelf.push(message);
  }

  #queue(message: InboundMessage): void {
    this.#shelf(message).push(message);
    this.#tell();
  }

  #tell(): void {
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
