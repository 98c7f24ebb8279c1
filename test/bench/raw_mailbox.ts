import { randomUUID } from "node:crypto";
import type { RawSqlite } from "./raw_sqlite.ts";

/** As many bytes as our envelope of the same request adds to its content. */
const envelopeBytes = 96;
/** As many bytes as our answer to a durable send has. */
const answerBytes = 96;
/** Answers kept, as many as our default. */
const answersKept = 65_536;
/** How long an answer holds, milliseconds. */
const answerTtlMs = 30_000;

const caller = "acme:Caller:1.0.0@1001:1234567890123";

interface Row {
  readonly seq: number;
  readonly id: string;
}

/** One turn of a hand-written mailbox: one transaction. */
export type Turn = (senders: number) => void;

/**
 * A mailbox by hand over a SQLite binding. Each turn inserts one message per sender, and selects and deletes those of
 * the turn before; with `remembers`, it also inserts an answer for each, and deletes the oldest.
 */
export function rawMailbox(database: RawSqlite, contentBytes: number, remembers: boolean): Turn {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const insert = database.prepare("INSERT INTO mailbox VALUES (?, ?, ?, ?, ?, ?)");
  const select = database.prepare("SELECT * FROM mailbox WHERE seq > ? ORDER BY seq LIMIT ?");
  const remove = database.prepare("DELETE FROM mailbox WHERE seq = ?");
  const remember = database.prepare("INSERT INTO answer VALUES (?, ?, ?, ?, ?)");
  const forget = database.prepare("DELETE FROM answer WHERE seq <= ?");
  const sender = new Uint8Array(40);
  const payload = new Uint8Array(contentBytes + envelopeBytes);
  const response = new Uint8Array(answerBytes);
  let lastSeq = 0;
  let lastHandled = 0;
  return (senders) => {
    begin.run();
    const rows = select.all(lastHandled, senders) as Row[];
    for (let index = 0; index < senders; index += 1) {
      insert.run(++lastSeq, randomUUID(), sender, 0, Date.now(), payload);
    }
    for (const { seq, id } of rows) {
      remove.run(seq);
      if (remembers) remember.run(seq, caller, id, Date.now() + answerTtlMs, response);
      lastHandled = seq;
    }
    if (remembers) forget.run(lastHandled - answersKept);
    commit.run();
  };
}
