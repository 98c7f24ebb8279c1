import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Priority, Store } from "../ports/store.ts";
import { troubles } from "../trouble.ts";
import type { Mailbox } from "./mailbox.ts";
import { type RecoveryComponents, recoverRow } from "./recovery.ts";
import type { Page } from "./shelf.ts";

/** Collaborators of {@link Refill}. */
export interface RefillComponents extends RecoveryComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly mailbox: Mailbox;
}

const priorities: readonly Priority[] = [1, 0];

/** Pauses after a page that could not be read, milliseconds; they double. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/** Brings what waits in the store alone into the mailbox, page by page, before it runs out of what it has in memory. */
export class Refill {
  readonly #components: RefillComponents;
  readonly #options: { readonly maxAttempts: number };
  readonly #closing = new AbortController();
  /** What runs, by priority. */
  readonly #running = new Map<Priority, Promise<void>>();
  #started = false;

  constructor(components: RefillComponents, options: { readonly maxAttempts: number }) {
    this.#components = components;
    this.#options = options;
  }

  /**
   * Finds what an earlier process left in the store, and reads the first page of each priority.
   * @throws ActrError `storage`.
   */
  async start(): Promise<void> {
    const { store, mailbox } = this.#components;
    mailbox.expect(await store.mailboxCounts(), store.opened.lastSeq);
    for (const priority of priorities) {
      const page = mailbox.missing(priority);
      if (page !== undefined) await this.#read(priority, page);
    }
    this.#started = true;
    this.wake();
  }

  /** Rows may be missing. */
  wake(): void {
    if (!this.#started || this.#closing.signal.aborted) return;
    for (const priority of priorities) {
      if (this.#running.has(priority)) continue;
      const page = this.#components.mailbox.missing(priority);
      if (page !== undefined) this.#running.set(priority, this.#run(priority, page));
    }
  }

  /** Reads nothing more: what is in the store alone waits for the next start. Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running.values());
  }

  async #run(priority: Priority, first: Page): Promise<void> {
    const { mailbox, clock, log } = this.#components;
    const { signal } = this.#closing;
    let pauseMs = firstPauseMs;
    for (let page: Page | undefined = first; page !== undefined && !signal.aborted; ) {
      try {
        await this.#read(priority, page);
        pauseMs = firstPauseMs;
      } catch (error) {
        const fields = { priority, after_seq: page.afterSeq, ...troubles.mailboxFailed, error };
        log.error("mailbox.refill_failed", fields);
        mailbox.failToRead(priority);
        await clock.sleep(pauseMs, { signal }).catch(() => {});
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
      page = mailbox.missing(priority);
    }
    this.#running.delete(priority);
  }

  async #read(priority: Priority, page: Page): Promise<void> {
    const { store, mailbox } = this.#components;
    const { afterSeq, limit, maxBytes } = page;
    const rows = await store.mailboxRows(afterSeq, limit, priority, maxBytes);
    const read = await Promise.all(
      rows.map(async (row) => {
        return { row, message: await recoverRow(row, this.#components, this.#options) };
      }),
    );
    if (!this.#closing.signal.aborted) mailbox.takeIn(priority, page, read);
  }
}
