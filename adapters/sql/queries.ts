import type { SqlRow, SqlStatement, SqlValue } from "../../src/ports/sql_driver.ts";
import type { DeadLetter, MailboxRow, RecordEntry, StoredAnswer } from "../../src/ports/store.ts";

/** A query and how its rows read. */
export interface Query<T> extends SqlStatement {
  read(row: SqlRow): T;
}

/** Mailbox rows above `afterSeq`, ascending. */
export function mailboxQuery(afterSeq: number, limit: number): Query<MailboxRow> {
  const sql = `SELECT seq, id, sender, priority, enqueued_at, payload, attempts, not_before
    FROM mailbox LEFT JOIN delivery USING (seq) WHERE seq > ? ORDER BY seq LIMIT ?`;
  return { sql, args: [afterSeq, limit], read: readMailboxRow };
}

/** Dead letters, newest first. */
export function deadLetterQuery(limit: number): Query<DeadLetter> {
  const sql = "SELECT * FROM dead_letter ORDER BY created_at DESC, rowid DESC LIMIT ?";
  return { sql, args: [limit], read: readDeadLetter };
}

/** One answer. */
export function answerQuery(caller: string, requestId: string): Query<StoredAnswer> {
  const sql = "SELECT expires_at, response FROM answer WHERE caller = ? AND request_id = ?";
  const read = (row: SqlRow): StoredAnswer => ({
    caller,
    requestId,
    response: bytes(row["response"]),
    expiresAt: Number(row["expires_at"]),
  });
  return { sql, args: [caller, requestId], read };
}

/** The value of one record. */
export function recordQuery(space: string, key: string): Query<Uint8Array> {
  const sql = "SELECT value FROM record WHERE space = ? AND key = ?";
  return { sql, args: [space, key], read: (row) => bytes(row["value"]) };
}

/** Records of a space above `afterKey`, ascending. */
export function recordsQuery(space: string, afterKey: string, limit: number): Query<RecordEntry> {
  const sql = "SELECT key, value FROM record WHERE space = ? AND key > ? ORDER BY key LIMIT ?";
  const read = (row: SqlRow): RecordEntry => ({
    key: String(row["key"]),
    value: bytes(row["value"]),
  });
  return { sql, args: [space, afterKey, limit], read };
}

function readMailboxRow(row: SqlRow): MailboxRow {
  return {
    seq: Number(row["seq"]),
    id: String(row["id"]),
    from: bytes(row["sender"]),
    payload: bytes(row["payload"]),
    priority: row["priority"] === 1 ? 1 : 0,
    enqueuedAt: Number(row["enqueued_at"]),
    attempts: Number(row["attempts"] ?? 0),
    notBefore: Number(row["not_before"] ?? 0),
  };
}

function readDeadLetter(row: SqlRow): DeadLetter {
  return {
    id: String(row["id"]),
    messageId: text(row["message_id"]),
    from: bytesOrNull(row["sender"]),
    to: bytesOrNull(row["receiver"]),
    rawBytes: bytes(row["raw_bytes"]),
    reason: String(row["reason"]),
    category: String(row["category"]),
    traceId: String(row["trace_id"]),
    requestId: text(row["request_id"]),
    createdAt: Number(row["created_at"]),
    redriveAttempts: Number(row["redrive_attempts"]),
    lastRedriveAt: row["last_redrive_at"] === null ? null : Number(row["last_redrive_at"]),
    context: text(row["context"]),
  };
}

function text(value: SqlValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function bytesOrNull(value: SqlValue | undefined): Uint8Array | null {
  return value === null ? null : bytes(value);
}

/** The columns are declared as blobs and never null, so anything else is a driver that breaks its contract. */
function bytes(value: SqlValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`expected a blob, the driver gave ${typeof value}`);
}
