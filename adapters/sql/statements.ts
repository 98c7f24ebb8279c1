import { assertNever } from "../../src/errors.ts";
import type { SqlStatement, SqlValue } from "../../src/ports/sql_driver.ts";
import type {
  DeadLetter,
  MailboxRow,
  RecordExpectation,
  StoredAnswer,
} from "../../src/ports/store.ts";
import type { Effects, LetterChange, Release } from "./effects.ts";

/** Most keys of one IN list. */
const maxKeys = 64;
/** Most rows of one insert; more spare no further time. */
const maxRows = 32;

const putRow =
  "INSERT INTO mailbox (seq, id, sender, priority, enqueued_at, payload) VALUES (?, ?, ?, ?, ?, ?)";
const release = `INSERT INTO delivery (seq, claimed, attempts, not_before) VALUES (?, 0, ?, ?)
  ON CONFLICT (seq) DO UPDATE SET claimed = 0, attempts = excluded.attempts, not_before = excluded.not_before`;
const claim = `INSERT INTO delivery (seq, claimed, attempts, not_before) VALUES (?, 1, 0, 0)
  ON CONFLICT (seq) DO UPDATE SET claimed = 1`;
const putLetter = `INSERT INTO dead_letter (id, message_id, sender, receiver, raw_bytes, reason, category, trace_id,
  request_id, created_at, redrive_attempts, last_redrive_at, context) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET message_id = excluded.message_id, sender = excluded.sender,
  receiver = excluded.receiver, raw_bytes = excluded.raw_bytes, reason = excluded.reason,
  category = excluded.category, trace_id = excluded.trace_id, request_id = excluded.request_id,
  created_at = excluded.created_at, redrive_attempts = excluded.redrive_attempts,
  last_redrive_at = excluded.last_redrive_at, context = excluded.context`;
/** By the number of rows. */
const putAnswers = lists((times) => {
  const rows = repeated("(?, ?, ?, ?, ?)", times);
  return `INSERT INTO answer (seq, caller, request_id, expires_at, response) VALUES ${rows}`;
});
/** By the number of keys. */
const deleteRows = lists((times) => `DELETE FROM mailbox WHERE seq IN (${repeated("?", times)})`);
const deleteDeliveries = lists(
  (times) => `DELETE FROM delivery WHERE seq IN (${repeated("?", times)})`,
);
/** By the number of rows. */
const putRecords = lists((times) => {
  const rows = repeated("(?, ?, ?)", times);
  return `INSERT OR REPLACE INTO record (space, key, value) VALUES ${rows}`;
});
const expectValue = `INSERT INTO record (space, key, value) SELECT '', '', NULL
  WHERE NOT EXISTS (SELECT 1 FROM record WHERE space = ? AND key = ? AND value = ?)`;
const expectNone = `INSERT INTO record (space, key, value) SELECT '', '', NULL
  WHERE EXISTS (SELECT 1 FROM record WHERE space = ? AND key = ?)`;
const deleteLetter = "DELETE FROM dead_letter WHERE id = ?";
const redriveLetter =
  "UPDATE dead_letter SET redrive_attempts = redrive_attempts + 1, last_redrive_at = ? WHERE id = ?";
const expireLetters = "DELETE FROM dead_letter WHERE created_at < ?";
const keepLetters = `DELETE FROM dead_letter WHERE rowid IN
  (SELECT rowid FROM dead_letter ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ?)`;
const deleteRecord = "DELETE FROM record WHERE space = ? AND key = ?";
const deleteAnswer = "DELETE FROM answer WHERE seq = ?";
const forgetAnswers = "DELETE FROM answer WHERE seq <= ?";

/** The statements that write `effects`; their order matters only where one touches what another does. */
export function toStatements(effects: Effects): SqlStatement[] {
  const list: SqlStatement[] = effects.expectations.map(expectation);
  if (effects.acks.size > 0) pushAcks(list, [...effects.acks]);
  for (const row of effects.puts.values()) list.push({ sql: putRow, args: rowArgs(row) });
  for (const [seq, to] of effects.releases) list.push({ sql: release, args: releaseArgs(seq, to) });
  for (const seq of effects.claims) list.push({ sql: claim, args: [seq] });
  for (const change of effects.letters) list.push(letterStatement(change));
  // Before the puts, which are those that none of these touches.
  if (effects.forgetThrough > 0) list.push({ sql: forgetAnswers, args: [effects.forgetThrough] });
  for (const seq of effects.deletedAnswers) list.push({ sql: deleteAnswer, args: [seq] });
  pushAnswers(list, effects.answers);
  pushRecords(list, effects);
  return list;
}

/** Puts no value where one must be, which ends the transaction, unless what is expected holds. */
function expectation({ space, key, value }: RecordExpectation): SqlStatement {
  return value === null
    ? { sql: expectNone, args: [space, key] }
    : { sql: expectValue, args: [space, key, value] };
}

function pushAcks(list: SqlStatement[], seqs: readonly number[]): void {
  for (const args of portions(seqs, maxKeys)) {
    list.push({ sql: deleteRows(args.length), args });
    list.push({ sql: deleteDeliveries(args.length), args });
  }
}

/** Many at a time: there is one answer for each message that was handled. */
function pushAnswers(list: SqlStatement[], answers: readonly StoredAnswer[]): void {
  for (const portion of portions(answers, maxRows)) {
    const args: SqlValue[] = [];
    for (const { seq, caller, requestId, expiresAt, response } of portion) {
      args.push(seq, caller, requestId, expiresAt, response);
    }
    list.push({ sql: putAnswers(portion.length), args });
  }
}

/** Each is the last word on its record, so that their order does not matter; what is put, many at a time. */
function pushRecords(list: SqlStatement[], { records }: Effects): void {
  const put: (readonly [string, string, Uint8Array])[] = [];
  for (const ofSpace of records.values()) {
    for (const { space, key, value } of ofSpace.values()) {
      if (value === null) list.push({ sql: deleteRecord, args: [space, key] });
      else put.push([space, key, value]);
    }
  }
  for (const portion of portions(put, maxRows)) {
    list.push({ sql: putRecords(portion.length), args: portion.flat() });
  }
}

/** Splits a list into lengths that are powers of two, so that few texts serve every length. */
function* portions<T>(list: readonly T[], longest: number): Generator<readonly T[]> {
  for (let at = 0; at < list.length; ) {
    let size = longest;
    while (size > list.length - at) size /= 2;
    yield list.slice(at, at + size);
    at += size;
  }
}

/** Texts by a length, each made once: a text that is the same again is found faster by the driver, too. */
function lists(make: (length: number) => string): (length: number) => string {
  const made: string[] = [];
  return (length) => {
    made[length] ??= make(length);
    return made[length];
  };
}

function repeated(mark: string, times: number): string {
  return Array(times).fill(mark).join();
}

function rowArgs(row: MailboxRow): SqlValue[] {
  return [row.seq, row.id, row.from, row.priority, row.enqueuedAt, row.payload];
}

function releaseArgs(seq: number, to: Release): SqlValue[] {
  return [seq, to.attempts, to.notBefore];
}

function letterStatement(change: LetterChange): SqlStatement {
  switch (change.kind) {
    case "deadLetter.put":
      return { sql: putLetter, args: letterArgs(change.letter) };
    case "deadLetter.delete":
      return { sql: deleteLetter, args: [change.id] };
    case "deadLetter.redrive":
      return { sql: redriveLetter, args: [change.at, change.id] };
    case "deadLetter.expire":
      return { sql: expireLetters, args: [change.before] };
    case "deadLetter.keep":
      return { sql: keepLetters, args: [change.newest] };
    default:
      return assertNever(change);
  }
}

function letterArgs(letter: DeadLetter): SqlValue[] {
  return [
    letter.id,
    letter.messageId,
    letter.from,
    letter.to,
    letter.rawBytes,
    letter.reason,
    letter.category,
    letter.traceId,
    letter.requestId,
    letter.createdAt,
    letter.redriveAttempts,
    letter.lastRedriveAt,
    letter.context,
  ];
}
