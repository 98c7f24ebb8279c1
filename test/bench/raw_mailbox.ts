import { randomUUID } from "node:crypto";
import type { RawSqlite } from "./raw_sqlite.ts";

/** Answers kept, as many as our default. */
const answersKept = 65_536;
/** How long an answer holds, milliseconds. */
const answerTtlMs = 30_000;

const caller = "acme:Caller:1.0.0@1001:1234567890123";
const sender = new Uint8Array(40);
/** What we remember of a message that nobody waits for an answer to. */
const nothing = new Uint8Array(0);

interface Row {
  readonly seq: number;
  readonly id: string;
}

interface Waiting {
  readonly payload: Uint8Array;
  readonly done: () => void;
}

/** A mailbox by hand, as short as it can be. */
export interface RawMailbox {
  /** Puts a message on disk; calls `done` when it is there. */
  put(payload: Uint8Array, done: () => void): void;
  /** Whether everything was handled. */
  idle(): boolean;
}

/**
 * A group commit by hand over a SQLite binding. Each turn of the event loop is one transaction: it inserts what has
 * come since the last one, and selects and deletes what that one inserted; with `remembers`, it also inserts an answer
 * for each of these, and deletes the oldest.
 */
export function rawMailbox(database: RawSqlite, remembers: boolean): RawMailbox {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const insert = database.prepare("INSERT INTO mailbox VALUES (?, ?, ?, ?, ?, ?)");
  const select = database.prepare("SELECT * FROM mailbox WHERE seq > ? ORDER BY seq");
  const remove = database.prepare("DELETE FROM mailbox WHERE seq = ?");
  const remember = database.prepare("INSERT INTO answer VALUES (?, ?, ?, ?, ?)");
  const forget = database.prepare("DELETE FROM answer WHERE seq <= ?");
  let waiting: Waiting[] = [];
  let lastSeq = 0;
  let lastHandled = 0;

  const handle = (): void => {
    for (const { seq, id } of select.all(lastHandled) as Row[]) {
      remove.run(seq);
      if (remembers) remember.run(seq, caller, id, Date.now() + answerTtlMs, nothing);
      lastHandled = seq;
    }
    if (remembers) forget.run(lastHandled - answersKept);
  };
  const turn = (): void => {
    const batch = waiting;
    waiting = [];
    begin.run();
    handle();
    for (const { payload } of batch) {
      insert.run(++lastSeq, randomUUID(), sender, 0, Date.now(), payload);
    }
    commit.run();
    if (lastSeq > lastHandled) setImmediate(turn);
    for (const { done } of batch) done();
  };
  return {
    put(payload, done) {
      if (waiting.length === 0 && lastSeq === lastHandled) setImmediate(turn);
      waiting.push({ payload, done });
    },
    idle: () => waiting.length === 0 && lastSeq === lastHandled,
  };
}
