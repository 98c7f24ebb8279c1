import type { Distribution } from "../histogram.ts";

/** 0 normal, 1 high (`spec/node.md` §8.2). */
export type Priority = 0 | 1;

/** One accepted message, as it survives a crash. */
export interface MailboxRow {
  /** Ascending in order of acceptance, unique for the life of the store. */
  readonly seq: number;
  /** UUID v4. Perhaps drawn when it is first read, so that a copy has to name it: a spread leaves it out. */
  readonly id: string;
  /** Encoded ActrId of the sender, as the transport verified it. */
  readonly from: Uint8Array;
  /** Encoded RpcEnvelope, the sender's bytes. */
  readonly payload: Uint8Array;
  readonly priority: Priority;
  /** Unix milliseconds. */
  readonly enqueuedAt: number;
  /** How often a process died, or gave up, while it held this message. */
  readonly attempts: number;
  /** Not to be handed out before this time, Unix milliseconds; 0 for at once. */
  readonly notBefore: number;
}

/** One message that could not be handled (`spec/node.md` §9). */
export interface DeadLetter {
  readonly id: string;
  /** Mailbox row id, when there was one. */
  readonly messageId: string | null;
  readonly from: Uint8Array | null;
  readonly to: Uint8Array | null;
  readonly rawBytes: Uint8Array;
  readonly reason: string;
  /** Stable word, such as `protobuf_decode`. */
  readonly category: string;
  readonly traceId: string;
  readonly requestId: string | null;
  readonly createdAt: number;
  readonly redriveAttempts: number;
  readonly lastRedriveAt: number | null;
  /** Where it came from, JSON. */
  readonly context: string | null;
}

/** Which dead letters are meant; all that is given must hold. */
export interface DeadLetterFilter {
  readonly category?: string;
  readonly traceId?: string;
  readonly from?: Uint8Array;
  /** Made later than this, Unix milliseconds. */
  readonly createdAfter?: number;
}

/** Which dead letters, and which page of them. */
export interface DeadLetterQuery extends DeadLetterFilter {
  /** Where the list begins. @default "newest" */
  readonly first?: "newest" | "oldest";
  /** Id of the last letter of the page before. */
  readonly after?: string;
}

/** Counts of dead letters (`spec/node.md` §9). */
export interface DeadLetterStats {
  readonly total: number;
  readonly byCategory: Readonly<Record<string, number>>;
  /** Letters with at least one redrive. */
  readonly redriven: number;
  /** Unix milliseconds; null when there are none. */
  readonly oldestAt: number | null;
}

/** Counts of mailbox rows. */
export interface MailboxCounts {
  readonly queuedNormal: number;
  readonly queuedHigh: number;
  /** Held by the process that owns the store. */
  readonly claimed: number;
}

/** A remembered answer: what a retry under the same request id gets. */
export interface StoredAnswer {
  /** Ascending in order of completion, unique among the answers that are remembered. */
  readonly seq: number;
  /** Text form of the caller's ActrId. */
  readonly caller: string;
  readonly requestId: string;
  /** Encoded response RpcEnvelope; empty where nobody waited for one. */
  readonly response: Uint8Array;
  /** Holds until this time, Unix milliseconds. */
  readonly expiresAt: number;
}

/** One durable change. Changes are data, so that every store applies the same list. */
export type StoreChange =
  | { readonly kind: "mailbox.put"; readonly row: MailboxRow }
  | { readonly kind: "mailbox.claim"; readonly seq: number }
  | {
      readonly kind: "mailbox.release";
      readonly seq: number;
      readonly attempts: number;
      readonly notBefore: number;
    }
  | { readonly kind: "mailbox.ack"; readonly seq: number }
  | { readonly kind: "deadLetter.put"; readonly letter: DeadLetter }
  | { readonly kind: "deadLetter.delete"; readonly id: string }
  /** Counts one redrive, made at `at` (Unix milliseconds); the letter stays. */
  | { readonly kind: "deadLetter.redrive"; readonly id: string; readonly at: number }
  /** Deletes letters made before `before`, Unix milliseconds. */
  | { readonly kind: "deadLetter.expire"; readonly before: number }
  /** Deletes all but the newest. */
  | { readonly kind: "deadLetter.keep"; readonly newest: number }
  | { readonly kind: "answer.put"; readonly answer: StoredAnswer }
  | { readonly kind: "answer.delete"; readonly seq: number }
  /** Deletes the oldest answers, up to and including `through`. */
  | { readonly kind: "answer.forget"; readonly through: number }
  | {
      readonly kind: "record.put";
      readonly space: string;
      readonly key: string;
      readonly value: Uint8Array;
    }
  | { readonly kind: "record.delete"; readonly space: string; readonly key: string }
  | RecordExpectation;

/**
 * What has to hold when a commit is written, or it fails with `lease_lost` and changes nothing: a record has this value;
 * with null, there is none. Commits that share its transaction are not seen by it.
 */
export interface RecordExpectation {
  readonly kind: "record.expect";
  readonly space: string;
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** What a store finds when it is opened. */
export interface StoreOpened {
  /** Mailbox rows that a process held when it ended without releasing them; their attempts have been raised by one. */
  readonly recovered: number;
  /** Whether the last owner ended without {@link Store.close}. */
  readonly unclean: boolean;
  /** Raised each time that a process takes the store over; writes of earlier owners fail. */
  readonly fence: number;
  /** No row ever put has a greater {@link MailboxRow.seq}; the next put takes a greater one. Leaps after a crash. */
  readonly lastSeq: number;
}

/** A keyed value; a page of them ascends by the code points of the keys, which are not empty. */
export interface RecordEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Hears what became of a commit: nothing once it is on disk, otherwise what it failed with. Must not throw. */
export type Committed = (error?: unknown) => void;

/** What a store has written since it was opened. */
export interface StoreWrites {
  /** Calls of {@link Store.commit} that came to their end. */
  readonly commits: number;
  /** Transactions, by the seconds that they took; several commits share one. */
  readonly transactions: Distribution;
}

/**
 * Durable memory of one node, owned by one process at a time.
 * Reads see every change handed to {@link Store.commit} before, committed or not.
 */
export interface Store extends AsyncDisposable {
  readonly name: string;
  /** False for memory: everything is lost with the process. */
  readonly durable: boolean;
  readonly opened: StoreOpened;
  /**
   * Makes `changes` durable, all or nothing. Commits of one turn of the event loop share one transaction;
   * resolves when it is on disk. Commits apply in the order of the calls; when the database fails one, those that were
   * handed over until then fail with it.
   * @throws ActrError `storage` when the write failed; nothing was written then, except when `details.unknown` is true:
   * the store was closed before a server could say. `lease_lost` when another process owns the store, or what a
   * {@link RecordExpectation} says does not hold, `overloaded` when too much
   * waits to be written; RangeError for a `mailbox.put` whose seq does not ascend.
   */
  commit(changes: readonly StoreChange[]): Promise<void>;
  /**
   * {@link Store.commit} without its promises, for what happens to every message: calls `committed`, never before it has
   * returned. Commits of one `line`, whatever that is, build on each other: when the database refuses the changes of one,
   * those of the line that were handed over before this was told fail with it.
   */
  submit(changes: readonly StoreChange[], committed: Committed, line?: object): void;
  /**
   * Mailbox rows with `seq` greater than `afterSeq`, ascending, at most `limit`; of one priority or of both.
   * With `maxBytes`, the row whose payload reaches that sum is the last.
   */
  mailboxRows(
    afterSeq: number,
    limit: number,
    priority?: Priority,
    maxBytes?: number,
  ): Promise<MailboxRow[]>;
  mailboxCounts(): Promise<MailboxCounts>;
  /** Answers with `seq` greater than `afterSeq`, ascending, at most `limit`; expired ones too. */
  answers(afterSeq: number, limit: number): Promise<StoredAnswer[]>;
  deadLetter(id: string): Promise<DeadLetter | undefined>;
  /**
   * Dead letters by `createdAt`, then by order of arrival; newest first unless the query says otherwise.
   * @throws ActrError `not_found` when the letter that the page should follow is gone.
   */
  deadLetters(limit: number, query?: DeadLetterQuery): Promise<DeadLetter[]>;
  deadLetterStats(): Promise<DeadLetterStats>;
  record(space: string, key: string): Promise<Uint8Array | undefined>;
  /** Entries of a space with keys greater than `afterKey`. */
  records(space: string, afterKey: string, limit: number): Promise<RecordEntry[]>;
  /** The space with records that follows `space` by code points; no space is empty text. */
  nextSpace(space: string): Promise<string | undefined>;
  /** Why the last write failed, such as a full disk; undefined once one succeeds, which the store tries by itself. */
  readonly fault: string | undefined;
  /** Calls back when {@link Store.fault} comes or goes, until the function returned is called. */
  onFault(listener: (fault: string | undefined) => void): () => void;
  /** Absent where nothing is written to a disk or a server. */
  readonly writes?: StoreWrites;
  /** Resolves when this process has lost the store to another (or the lease could not be renewed); never rejects. */
  readonly lost: Promise<string>;
  /** Flushes, releases the lease and closes. Idempotent. */
  close(): Promise<void>;
}
