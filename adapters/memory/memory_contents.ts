import { assertNever } from "../../src/errors.ts";
import type { DeadLetter, MailboxRow, StoreChange, StoredAnswer } from "../../src/ports/store.ts";
import { applyAnswer } from "./memory_answers.ts";
import type { Change } from "./memory_change.ts";
import { applyLetter } from "./memory_letters.ts";

/** What outlives one opening of a memory store. */
export interface Contents {
  readonly rows: Map<number, MailboxRow>;
  readonly claimed: Set<number>;
  readonly letters: Map<string, DeadLetter>;
  readonly answers: Map<number, StoredAnswer>;
  readonly spaces: Map<string, Map<string, Uint8Array>>;
  fence: number;
  lastSeq: number;
  clean: boolean;
}

/** A store that never held anything. */
export function emptyContents(): Contents {
  return {
    rows: new Map(),
    claimed: new Set(),
    letters: new Map(),
    answers: new Map(),
    spaces: new Map(),
    fence: 0,
    lastSeq: 0,
    clean: true,
  };
}

/** Hands claimed rows back with one attempt more; returns how many. */
export function unclaim({ rows, claimed }: Contents): number {
  const held = claimed.size;
  for (const seq of claimed) {
    const row = rows.get(seq);
    if (row !== undefined) rows.set(seq, { ...row, attempts: row.attempts + 1 });
  }
  claimed.clear();
  return held;
}

/** Applies one change. */
export function apply(contents: Contents, change: StoreChange): void {
  switch (change.kind) {
    case "mailbox.put":
    case "mailbox.claim":
    case "mailbox.release":
    case "mailbox.ack":
      return applyMailbox(contents, change);
    case "deadLetter.put":
    case "deadLetter.delete":
    case "deadLetter.redrive":
    case "deadLetter.expire":
    case "deadLetter.keep":
      return applyLetter(contents.letters, change);
    case "answer.put":
    case "answer.delete":
    case "answer.forget":
      return applyAnswer(contents.answers, change);
    case "record.put":
      spaceOf(contents, change.space).set(change.key, change.value);
      return;
    case "record.delete":
      contents.spaces.get(change.space)?.delete(change.key);
      return;
    case "record.expect":
      return;
    default:
      assertNever(change);
  }
}

/** Whether what a change expects holds. */
export function holds({ spaces }: Contents, change: StoreChange): boolean {
  if (change.kind !== "record.expect") return true;
  const { space, key, value } = change;
  const found = spaces.get(space)?.get(key);
  if (value === null || found === undefined) return value === null && found === undefined;
  return found.length === value.length && found.every((byte, at) => byte === value[at]);
}

function applyMailbox(contents: Contents, change: Change<"mailbox">): void {
  const { rows, claimed } = contents;
  switch (change.kind) {
    case "mailbox.put":
      rows.set(change.row.seq, { ...change.row, id: change.row.id });
      return;
    case "mailbox.claim":
      if (rows.has(change.seq)) claimed.add(change.seq);
      return;
    case "mailbox.release":
      return release(contents, change);
    case "mailbox.ack":
      rows.delete(change.seq);
      claimed.delete(change.seq);
      return;
    default:
      assertNever(change);
  }
}

function release(
  { rows, claimed }: Contents,
  { seq, attempts, notBefore }: Extract<StoreChange, { kind: "mailbox.release" }>,
): void {
  claimed.delete(seq);
  const row = rows.get(seq);
  if (row !== undefined) rows.set(seq, { ...row, attempts, notBefore });
}

function spaceOf({ spaces }: Contents, name: string): Map<string, Uint8Array> {
  const known = spaces.get(name) ?? new Map<string, Uint8Array>();
  spaces.set(name, known);
  return known;
}
