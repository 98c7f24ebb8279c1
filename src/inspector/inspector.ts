import type { KeptLetter } from "../inbound/redriver.ts";
import type { DeadLetterStats, MailboxCounts } from "../ports/store.ts";
import type { AlarmPage, AlarmQuery } from "./alarms.ts";
import type { Selection } from "./selection.ts";

/** A node's inbox, now. */
export interface MailboxView {
  /** Messages that wait, by priority. */
  readonly queuedNormal: number;
  readonly queuedHigh: number;
  /** Messages that a handler has. */
  readonly inFlight: number;
  /** Of both, where a node runs. */
  readonly bytes: number | null;
  /** How long the oldest durable message has been here, milliseconds. */
  readonly oldestAgeMs: number | null;
  /** What the store holds of it. */
  readonly stored: MailboxCounts;
}

/** One dead letter, without its bytes. Times are Unix milliseconds. */
export interface LetterView {
  readonly id: string;
  readonly category: string;
  readonly reason: string;
  /** Text form of the sender's ActrId; null when there is none that can be read. */
  readonly from: string | null;
  /** Route that it asks for; null when it cannot be decoded. */
  readonly routeKey: string | null;
  readonly requestId: string | null;
  readonly traceId: string;
  /** Id of the mailbox row that it was. */
  readonly messageId: string | null;
  readonly createdAt: number;
  readonly redriveAttempts: number;
  readonly lastRedriveAt: number | null;
  /** Length of the raw bytes. */
  readonly bytes: number;
}

/** One dead letter with all that is known of it. */
export interface LetterDetails extends LetterView {
  readonly to: string | null;
  /** Where it came from, such as `{"source":"gate","priority":"normal"}`. */
  readonly context: unknown;
  /** What came over the wire, base64. */
  readonly rawBytes: string;
}

/** Which dead letters to list; newest first. */
export interface LetterQuery {
  readonly category?: string;
  /** Text form of the sender's ActrId. */
  readonly from?: string;
  /** 1 to {@link maxLettersListed}. */
  readonly limit?: number;
  /** Id of the last letter of the page before. */
  readonly after?: string;
}

/** Most letters on one page. */
export const maxLettersListed = 100;

/** One page of dead letters. */
export interface LetterPage {
  readonly letters: readonly LetterView[];
  /** Where the next page begins: its `after`; null when this was the last one. */
  readonly next: string | null;
  /** Of all letters. */
  readonly stats: DeadLetterStats;
}

/** How to go on with a selection that is larger than one batch. */
export interface Progress {
  /** The selection of what is left; null when nothing is. */
  readonly next: Selection | null;
}

/** What a redrive did. */
export interface RedriveResult extends Progress {
  readonly redriven: number;
  /** Letters that could not become messages. */
  readonly kept: readonly KeptLetter[];
  /** Ids that no letter has. */
  readonly missing: readonly string[];
}

/** What a purge did. */
export interface PurgeResult extends Progress {
  readonly purged: number;
  readonly missing: readonly string[];
}

/** Looks into the mailbox, the dead letters and the schedules of a node, running or at rest, and operates its letters. */
export interface Inspector {
  mailbox(): Promise<MailboxView>;
  /** @throws ActrError `invalid_argument`; `not_found` when the letter to go on after is gone. */
  deadLetters(query: LetterQuery): Promise<LetterPage>;
  /** @throws ActrError `not_found`. */
  deadLetter(id: string): Promise<LetterDetails>;
  /** Schedules of actors, by when they run next. @throws ActrError `invalid_argument`. */
  alarms(query: AlarmQuery): Promise<AlarmPage>;
  /** Puts one batch back into the mailbox. @throws ActrError `overloaded`: nothing was done; `storage`. */
  redrive(selection: Selection): Promise<RedriveResult>;
  /** Deletes one batch for good. @throws ActrError `overloaded`, `storage`: nothing was done. */
  purge(selection: Selection): Promise<PurgeResult>;
}
