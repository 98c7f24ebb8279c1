import { Deque } from "../deque.ts";
import type { MailboxOptions } from "../options.ts";
import { FairQueue } from "./fair_queue.ts";
import type { InboundMessage } from "./message.ts";

/** Most rows, and about as many bytes, read from the store at once: what a start waits for, and what an event loop bears. */
const pageRows = 512;
const pageBytes = 4 * 1024 * 1024;

/** The next rows of a shelf that are to be read from the store. */
export interface Page {
  readonly afterSeq: number;
  readonly limit: number;
  readonly maxBytes: number;
  /** Number of the last row that was known when the page was asked for. */
  readonly lastSeq: number;
}

/** A volatile message that came after rows which are not in memory. */
interface Follower {
  readonly message: InboundMessage;
  /** Number of the last of those rows. */
  readonly afterSeq: number;
}

/**
 * The messages of one priority, in the order of arrival. The next ones are in memory, a window of bounded size; durable
 * ones that do not fit wait in the store alone. One number parts them: rows up to it are in memory or handled already.
 */
export class Shelf {
  readonly #options: MailboxOptions;
  readonly #ready: FairQueue;
  readonly #followers = new Deque<Follower>();
  #followerBytes = 0;
  #readTo = 0;
  /** No row that the store has, or is being given, has a greater number. */
  #lastSeq = 0;
  /** Rows on their way to the store. */
  #writing = 0;
  /** The store had no more rows while some were on their way. */
  #stalled = false;
  /** The last page could not be read. */
  #failing = false;
  /** Messages in memory and their bytes: queued, delayed and in flight. */
  #held = 0;
  #heldBytes = 0;
  /** Rows in the store alone; bytes of those that this process put there. */
  #stored = 0;
  #storedBytes = 0;

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#ready = new FairQueue(options.senderShare);
  }

  /** Messages that can be handed out at once. */
  get ready(): number {
    return this.#ready.size;
  }

  /** Messages that wait for their turn, in memory or not; delayed ones are left out while they are in memory. */
  get queued(): number {
    return this.#ready.size + this.#followers.size + this.#stored;
  }

  /** All messages, delayed ones and those in flight included. */
  get depth(): number {
    return this.#held + this.#stored;
  }

  /** Bytes of all messages, but for rows of an earlier process that were not read yet. */
  get bytes(): number {
    return this.#heldBytes + this.#storedBytes;
  }

  /** Whether nothing waits in the store alone. */
  get complete(): boolean {
    return this.#readTo >= this.#lastSeq;
  }

  /** Whether a message of `size` bytes may be in memory. */
  hasRoom(size: number): boolean {
    const { windowDepth, windowBytes } = this.#options;
    return this.#held < windowDepth && this.#heldBytes + size <= windowBytes;
  }

  /** Counts a message that is in memory from here on. */
  enter(message: InboundMessage): void {
    this.#held += 1;
    this.#heldBytes += message.size;
  }

  leave(message: InboundMessage): void {
    this.#held -= 1;
    this.#heldBytes -= message.size;
  }

  /** The row `seq` is new, and in memory: only while the shelf is complete. */
  pass(seq: number): void {
    this.#readTo = seq;
    this.#lastSeq = seq;
  }

  /** Makes a message the last one that is ready. */
  push(message: InboundMessage): void {
    this.#ready.push(message);
  }

  /** Queues a volatile message behind everything that came before it, unless nobody knows when that can be read. */
  follow(message: InboundMessage): void {
    if (this.complete || this.#failing) return this.#ready.push(message);
    this.#followers.push({ message, afterSeq: this.#lastSeq });
    this.#followerBytes += message.size;
  }

  shift(): InboundMessage | undefined {
    return this.#ready.shift();
  }

  /** Rows cannot be read for now: what needs no store does not wait for them. */
  fail(): void {
    this.#failing = true;
    this.#release(Number.POSITIVE_INFINITY);
  }

  /** The store holds `count` rows, none above `lastSeq`, and none of them is in memory. */
  expect(count: number, lastSeq: number): void {
    if (count === 0) return;
    this.#stored = count;
    this.#lastSeq = lastSeq;
  }

  /** A new row of `size` bytes is on its way to the store, and stays there. */
  putAside(seq: number, size: number): void {
    this.#lastSeq = seq;
    this.#stored += 1;
    this.#storedBytes += size;
    this.#writing += 1;
  }

  /** What became of a row that was put aside is known: `lostBytes` when the store did not take it. */
  settle(lostBytes?: number): void {
    this.#writing -= 1;
    this.#stalled = false;
    if (lostBytes !== undefined) this.#forget(lostBytes);
  }

  /** What to read next, if rows are missing and there is room for them. */
  missing(): Page | undefined {
    if (this.complete || this.#stalled) return undefined;
    const { windowDepth, windowBytes } = this.#options;
    const [rows, bytes] = [Math.min(pageRows, windowDepth), Math.min(pageBytes, windowBytes)];
    // Followers wait for these rows, so they must not be in their way.
    const [held, heldBytes] = [
      this.#held - this.#followers.size,
      this.#heldBytes - this.#followerBytes,
    ];
    const limit = Math.min(rows, windowDepth - held);
    const maxBytes = Math.min(bytes, windowBytes - heldBytes);
    // Half a page is left when the next one is read, and none is read for a few rows.
    if (this.#ready.size > rows / 2 || limit < rows / 2 || maxBytes < bytes / 2) return undefined;
    return { afterSeq: this.#readTo, limit, maxBytes, lastSeq: this.#lastSeq };
  }

  /** The next row has been read: followers of earlier ones go first. `putAsideBytes` if this process had put it aside. */
  reach(seq: number, putAsideBytes: number): void {
    this.#release(seq);
    this.#forget(putAsideBytes);
    this.#readTo = seq;
  }

  /** A page has been taken in: there may be nothing left in the store alone. */
  settlePage(page: Page, rows: number): void {
    this.#failing = false;
    if (rows === 0 && page.lastSeq === this.#lastSeq) {
      if (this.#writing > 0) this.#stalled = true;
      else this.#readTo = this.#lastSeq;
    }
    if (!this.complete) return;
    this.#stored = 0;
    this.#storedBytes = 0;
    this.#release(Number.POSITIVE_INFINITY);
  }

  /** Followers of rows below `seq` are ready. */
  #release(seq: number): void {
    for (;;) {
      const next = this.#followers.first;
      if (next === undefined || next.afterSeq >= seq) return;
      this.#followers.shift();
      this.#followerBytes -= next.message.size;
      this.#ready.push(next.message);
    }
  }

  #forget(bytes: number): void {
    this.#stored = Math.max(0, this.#stored - 1);
    this.#storedBytes = Math.max(0, this.#storedBytes - bytes);
  }
}
