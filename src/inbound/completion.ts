import { ActrError } from "../errors.ts";
import type { InboundOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Committed, MailboxRow, Store, StoreChange } from "../ports/store.ts";
import type { Frame } from "../protocol/frame.ts";
import { type BufferLoan, loanOf } from "../protocol/frame_buffers.ts";
import { troubles } from "../trouble.ts";
import type { AnswerPut } from "./answer_log.ts";
import type { DeadLetterCategory, DeadLetters } from "./dead_letters.ts";
import type { Dedup } from "./dedup.ts";
import type { Mailbox } from "./mailbox.ts";
import { type InboundMessage, isAnswerable, messageFields } from "./message.ts";
import { failureFrame, type Replier, repeatedFrame } from "./replier.ts";

/** What a handler left behind. */
export interface Outcome {
  readonly answer: Frame;
  /** Durable changes that it made. */
  readonly changes: readonly StoreChange[];
  /** A transient failure: a repeat is handled anew instead of hearing it again. */
  readonly retryable: boolean;
}

/** Collaborators of {@link Completion}. */
export interface CompletionComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly mailbox: Mailbox;
  readonly dedup: Dedup;
  readonly deadLetters: DeadLetters;
  readonly replier: Replier;
}

/** The ends that a claimed message can come to. What is durable about an end is one commit, and the answer leaves after it. */
export class Completion {
  readonly #components: CompletionComponents;
  readonly #options: InboundOptions;
  /** Commits under way. */
  #commits = 0;
  /** Who waits until there are none. */
  #waiting: (() => void)[] = [];
  #handled = 0;
  #refused = 0;

  constructor(components: CompletionComponents, options: InboundOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Messages whose handler has ended. */
  get handled(): number {
    return this.#handled;
  }

  /** Messages that were refused before a handler saw them. */
  get refused(): number {
    return this.#refused;
  }

  /** Resolves when every commit that has begun is on disk, and its answer handed over. */
  async settled(): Promise<void> {
    if (this.#commits > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The handler is done: its changes, the remembered answer and the acknowledgement are one commit. */
  finish(message: InboundMessage, outcome: Outcome): void {
    const { dedup, store } = this.#components;
    const { from, envelope, row } = message;
    const { answer, changes, retryable } = outcome;
    this.#handled += 1;
    if (row === undefined && changes.length === 0) {
      return this.#answer(message, outcome, undefined, loanOf(answer.body));
    }
    const stored = retryable ? undefined : dedup.store(from.key, envelope.requestId, answer.body);
    const commit = joined(changes, stored, row);
    const forgotten = dedup.outdated(stored);
    if (forgotten !== undefined) commit.push(forgotten);
    this.#commits += 1;
    store.submit(commit, (error) => {
      if (error !== undefined) return this.#fail(message, error);
      this.#committed();
      this.#answer(message, outcome, stored?.answer.seq);
    });
  }

  /** A repeat of an answered request: the same answer again. */
  repeat(message: InboundMessage, answer: Uint8Array): void {
    this.#acknowledge(message, () =>
      this.#components.replier.reply(message, repeatedFrame(message.envelope, answer)),
    );
  }

  /** Not handled at all: answered with the error, never remembered. */
  refuse(message: InboundMessage, error: ActrError): void {
    const { replier, log } = this.#components;
    const kind = error.code === "permission_denied" ? troubles.aclDenied : undefined;
    this.#refused += 1;
    log.warn("rpc.refused", { ...messageFields(message), error_code: error.code, ...kind });
    this.#acknowledge(message, () => replier.fail(message, error));
  }

  /** May not be handled: who waits is told, and what was accepted for good becomes a dead letter. */
  deny(message: InboundMessage, error: ActrError): void {
    if (message.row === undefined || isAnswerable(message)) return this.refuse(message, error);
    this.#refused += 1;
    const unknown = error.code === "unknown_route";
    this.bury(message, unknown ? "unknown_route" : "permission_denied", error);
  }

  /** The request that this one repeats came to nothing that lasts: it is handled as if it were the first. */
  again(message: InboundMessage): void {
    this.#components.mailbox.nack(message, message, 0);
  }

  /** Tried and failed transiently: tried again after a pause that doubles, a dead letter after too many tries. */
  later(message: InboundMessage, error: ActrError): void {
    const { clock, store, mailbox, log } = this.#components;
    const { row } = message;
    if (row === undefined) return this.refuse(message, error);
    const attempts = row.attempts + 1;
    if (attempts >= this.#options.maxAttempts) return this.bury(message, "exhausted", error);
    this.#forget(message);
    const delayMs = this.#options.retryDelayMs * 2 ** (attempts - 1);
    const notBefore = clock.now() + delayMs;
    const next = { ...row, id: row.id, attempts, notBefore };
    mailbox.nack(message, { ...message, row: next, unwritten: undefined }, delayMs);
    store
      .commit([{ kind: "mailbox.release", seq: row.seq, attempts, notBefore }])
      .catch((failure: unknown) =>
        log.warn("mailbox.release_failed", {
          message_id: row.id,
          ...troubles.mailboxFailed,
          error: failure,
        }),
      );
  }

  /** The store did not let it be handled, or ended: not the message's fault, so the try does not count. */
  async postpone(message: InboundMessage, error: ActrError): Promise<void> {
    const { log, mailbox, replier } = this.#components;
    const fields = { ...messageFields(message), ...troubles.mailboxFailed, error };
    log.error("rpc.commit_failed", fields);
    this.#forget(message);
    if (await mailbox.isWritten(message)) {
      return mailbox.nack(message, message, this.#options.retryDelayMs);
    }
    mailbox.ack(message);
    const options = { cause: error, retryAfterMs: this.#options.retryDelayMs };
    replier.fail(
      message,
      new ActrError("unavailable", "the node cannot write to its store", options),
    );
  }

  /** Given up: a dead letter and the acknowledgement are one commit. */
  bury(message: InboundMessage, category: DeadLetterCategory, error: ActrError): void {
    const { deadLetters, mailbox, dedup } = this.#components;
    const { row, envelope, from } = message;
    if (row === undefined) return this.refuse(message, error);
    const letter = {
      category,
      reason: error.message,
      rawBytes: row.payload,
      from: from.bytes,
      requestId: envelope.requestId,
      traceparent: envelope.traceparent,
      row,
      source: "mailbox",
    } as const;
    const watch = this.#watch(message, () => {
      mailbox.ack(message);
      dedup.complete(from.key, envelope.requestId, failureFrame(envelope, error).body);
    });
    void deadLetters
      .put(letter, [{ kind: "mailbox.ack", seq: row.seq }])
      .then(() => watch(), watch);
  }

  /** The answer's buffer comes back to `loan`, unless repeats that have waited share it. */
  #answer(message: InboundMessage, outcome: Outcome, seq?: number, loan?: BufferLoan): void {
    const { dedup, mailbox, replier } = this.#components;
    mailbox.ack(message);
    replier.reply(message, outcome.answer, loan);
    const remembered = outcome.retryable ? undefined : outcome.answer.body;
    const { from, envelope } = message;
    const shared = dedup.complete(from.key, envelope.requestId, remembered, seq);
    if (!shared) loan?.release();
  }

  #acknowledge(message: InboundMessage, then: () => void): void {
    const { mailbox, store } = this.#components;
    const done = (): void => {
      mailbox.ack(message);
      then();
    };
    if (message.row === undefined) return done();
    const ack = [{ kind: "mailbox.ack", seq: message.row.seq }] as const;
    store.submit(ack, this.#watch(message, done));
  }

  /** Counts a commit that has begun; what hears of its outcome. */
  #watch(message: InboundMessage, then: () => void): Committed {
    this.#commits += 1;
    return (error) => {
      if (error !== undefined) return this.#fail(message, error);
      this.#committed();
      then();
    };
  }

  #fail(message: InboundMessage, error: unknown): void {
    const failure = ActrError.from(error, "storage");
    void this.postpone(message, failure).finally(() => this.#committed());
  }

  #committed(): void {
    this.#commits -= 1;
    // Those that wait go on after this turn's answers.
    if (this.#commits === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Ends the dedup entry without an answer: the next sighting is a first one. */
  #forget(message: InboundMessage): void {
    this.#components.dedup.complete(message.from.key, message.envelope.requestId, undefined);
  }
}

/** What the end of a message changes, in one list that is just long enough: most handlers change nothing. */
function joined(
  changes: readonly StoreChange[],
  stored: AnswerPut | undefined,
  row: MailboxRow | undefined,
): StoreChange[] {
  const ack = row === undefined ? undefined : ({ kind: "mailbox.ack", seq: row.seq } as const);
  if (changes.length === 0 && stored !== undefined && ack !== undefined) return [stored, ack];
  return [...changes, stored, ack].filter((change) => change !== undefined);
}
