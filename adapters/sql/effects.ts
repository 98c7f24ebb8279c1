import { assertNever } from "../../src/errors.ts";
import type {
  MailboxRow,
  RecordExpectation,
  StoreChange,
  StoredAnswer,
} from "../../src/ports/store.ts";

/** What a mailbox row is released with: when it may be handed out again, and how often it failed. */
export interface Release {
  readonly attempts: number;
  /** Unix milliseconds; 0 for at once. */
  readonly notBefore: number;
}

/** A change of the dead letters. */
export type LetterChange = Extract<StoreChange, { readonly kind: `deadLetter.${string}` }>;

/** The last word on one record; `value` is null when it is gone. */
export interface RecordEffect {
  readonly space: string;
  readonly key: string;
  readonly value: Uint8Array | null;
}

/**
 * The net effect of a list of changes, by what they touch: what one transaction has to write, and what reads see
 * before it has. What cancels out within the list, such as a claim and its acknowledgement, costs nothing.
 */
export class Effects {
  readonly puts: Map<number, MailboxRow> = new Map();
  readonly acks: Set<number> = new Set();
  readonly claims: Set<number> = new Set();
  readonly releases: Map<number, Release> = new Map();
  /** In their order, unlike the rest: they are rare, and each may touch what another did. */
  readonly letters: LetterChange[] = [];
  /** Ascending by seq. */
  answers: StoredAnswer[] = [];
  readonly deletedAnswers: Set<number> = new Set();
  /** By space and key. */
  readonly records: Map<string, Map<string, RecordEffect>> = new Map();
  /** What has to hold, each once. */
  readonly expectations: RecordExpectation[] = [];
  /** Stored answers up to this seq are gone; 0 for none. */
  forgetThrough = 0;
  /** Greatest seq put; 0 for none. */
  lastSeq = 0;
  /** Changes added, cancelled out or not. */
  changes = 0;
  /** Of the payloads added, cancelled out or not. */
  bytes = 0;

  constructor(changes: readonly StoreChange[] = []) {
    for (const change of changes) this.add(change);
  }

  add(change: StoreChange): void {
    this.changes += 1;
    switch (change.kind) {
      case "mailbox.put":
        return this.#put(change.row);
      case "mailbox.claim":
        this.claims.add(change.seq);
        return;
      case "mailbox.release":
        this.claims.delete(change.seq);
        this.releases.set(change.seq, change);
        return;
      case "mailbox.ack":
        return this.#ack(change.seq);
      case "deadLetter.put":
        this.bytes += change.letter.rawBytes.length;
        this.letters.push(change);
        return;
      case "deadLetter.delete":
      case "deadLetter.redrive":
      case "deadLetter.expire":
      case "deadLetter.keep":
        this.letters.push(change);
        return;
      case "answer.put":
        this.bytes += change.answer.response.length;
        this.answers.push(change.answer);
        return;
      case "answer.delete":
        this.answers = this.answers.filter(({ seq }) => seq !== change.seq);
        this.deletedAnswers.add(change.seq);
        return;
      case "answer.forget":
        return this.#forget(change.through);
      case "record.put":
        this.bytes += change.value.length;
        return this.#record(change);
      case "record.delete":
        return this.#record({ ...change, value: null });
      case "record.expect":
        return this.#expect(change);
      default:
        assertNever(change);
    }
  }

  #record(effect: RecordEffect): void {
    const { space, key } = effect;
    const known = this.records.get(space);
    if (known !== undefined) known.set(key, effect);
    else this.records.set(space, new Map([[key, effect]]));
  }

  /** Commits of one owner expect the same, by the same bytes. */
  #expect(change: RecordExpectation): void {
    const { space, key, value } = change;
    const known = this.expectations.some(
      (each) => each.value === value && each.key === key && each.space === space,
    );
    if (!known) this.expectations.push(change);
  }

  #put(row: MailboxRow): void {
    this.bytes += row.payload.length;
    this.puts.set(row.seq, row);
    if (row.attempts !== 0 || row.notBefore !== 0) this.releases.set(row.seq, row);
    this.lastSeq = Math.max(this.lastSeq, row.seq);
  }

  /** A row put in the same list was never written, so there is nothing to delete. */
  #ack(seq: number): void {
    this.claims.delete(seq);
    this.releases.delete(seq);
    if (!this.puts.delete(seq)) this.acks.add(seq);
  }

  #forget(through: number): void {
    this.forgetThrough = Math.max(this.forgetThrough, through);
    const [first] = this.answers;
    if (first === undefined || first.seq > through) return;
    this.answers = this.answers.filter(({ seq }) => seq > through);
  }
}
