import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogAttributes, Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { DeadLetter, MailboxRow, Store, StoreChange } from "../ports/store.ts";
import { troubles } from "../trouble.ts";

/** Why a message is dead; stable words. */
export type DeadLetterCategory =
  | "protobuf_decode"
  | "unknown_sender"
  | "unknown_route"
  | "permission_denied"
  | "handler_error"
  | "exhausted";

/** What is known of a message that could not be handled. */
export interface Undeliverable {
  readonly category: DeadLetterCategory;
  readonly reason: string;
  readonly rawBytes: Uint8Array;
  readonly from: Uint8Array | null;
  readonly requestId: string | null;
  readonly traceparent?: string | undefined;
  readonly row?: MailboxRow | undefined;
  /** `gate` for bytes off the wire, `mailbox` for a stored message. */
  readonly source: "gate" | "mailbox";
}

/** Collaborators of {@link DeadLetters}. */
export interface DeadLetterComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly log: Logger;
  /** Encoded ActrId of this node, read live. */
  readonly selfBytes: () => Uint8Array;
  readonly onDeadLetter: (letter: DeadLetter) => void;
}

/** Pauses between two tries to write a letter that must not be lost, milliseconds; they double. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/** Messages that could not be handled: kept with reason and raw bytes, before anything is acknowledged (`spec/node.md` §9). */
export class DeadLetters {
  readonly #components: DeadLetterComponents;
  readonly #closing = new AbortController();
  #count = 0;

  constructor(components: DeadLetterComponents) {
    this.#components = components;
  }

  /** Letters written by this process. */
  get count(): number {
    return this.#count;
  }

  /**
   * Writes a letter and, in the same commit, what else belongs to it (the acknowledgement).
   * @throws ActrError `storage`: then the message is still where it was.
   */
  async put(dead: Undeliverable, also: readonly StoreChange[] = []): Promise<void> {
    await this.#write(this.#letter(dead), also);
  }

  /** As {@link put}, tried again until the store takes the letter or this process ends: for bytes that are nowhere else. Never rejects. */
  async insist(dead: Undeliverable): Promise<void> {
    const { clock, log } = this.#components;
    const letter = this.#letter(dead);
    const { signal } = this.#closing;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        return await this.#write(letter, []);
      } catch (error) {
        const lost = signal.aborted || isHopeless(error);
        const fields = { dead_letter: letter.id, ...troubles.deadLetterUnwritten, lost, error };
        log.error("dead_letter.write_failed", fields);
        if (lost) return;
      }
      // Cut short when this process ends: then one last try is made.
      await clock.sleep(pauseMs, { signal }).catch(() => {});
    }
  }

  /** Ends the pauses of {@link insist}. */
  close(): void {
    this.#closing.abort();
  }

  async #write(letter: DeadLetter, also: readonly StoreChange[]): Promise<void> {
    const { store, log, onDeadLetter } = this.#components;
    await store.commit([{ kind: "deadLetter.put", letter }, ...also]);
    this.#count += 1;
    log.warn("dead_letter.put", {
      dead_letter: letter.id,
      message_id: letter.messageId,
      request_id: letter.requestId,
      ...letterTrouble(letter.category),
      category: letter.category,
      reason: letter.reason,
      bytes: letter.rawBytes.length,
    });
    onDeadLetter(letter);
  }

  #letter(dead: Undeliverable): DeadLetter {
    const { clock, random, selfBytes } = this.#components;
    const id = random.uuid();
    return {
      id,
      messageId: dead.row?.id ?? null,
      from: dead.from,
      to: selfBytes(),
      rawBytes: dead.rawBytes,
      reason: dead.reason,
      category: dead.category,
      traceId: dead.traceparent ?? `mailbox-${dead.row?.id ?? id}`,
      requestId: dead.requestId,
      createdAt: clock.now(),
      redriveAttempts: 0,
      lastRedriveAt: null,
      context: JSON.stringify({
        source: dead.source,
        priority: dead.row?.priority === 1 ? "high" : "normal",
      }),
    };
  }
}

/** What kind of trouble a letter of this category is. */
export function letterTrouble(category: string): LogAttributes {
  switch (category) {
    case "protobuf_decode":
      return troubles.poison;
    case "unknown_sender":
      return troubles.unknownSender;
    case "permission_denied":
      return troubles.aclDenied;
    default:
      return troubles.handlerError;
  }
}

/** Whether the store refuses this very letter, whatever state it is in. */
function isHopeless(error: unknown): boolean {
  return ActrError.from(error, "storage").details?.["fault"] === "statement";
}
