import type { SqlRow, SqlStatement } from "../../src/ports/sql_driver.ts";
import type {
  MailboxCounts,
  MailboxRow,
  Priority,
  RecordEntry,
  StoredAnswer,
} from "../../src/ports/store.ts";
import { bytes, text } from "./columns.ts";

/** A query and how its rows read. */
export interface Query<T> extends SqlStatement {
  read(row: SqlRow): T;
}

const mailboxColumns = `SELECT seq, id, sender, priority, enqueued_at, payload, attempts, not_before
  FROM mailbox LEFT JOIN delivery USING (seq)`;

/** Mailbox rows above `afterSeq`, ascending, of one priority or of both. */
export function mailboxQuery(
  afterSeq: number,
  limit: number,
  priority?: Priority,
): Query<MailboxRow> {
  if (priority === undefined) {
    const sql = `${mailboxColumns} WHERE seq > ? ORDER BY seq LIMIT ?`;
    return { sql, args: [afterSeq, limit], read: readMailboxRow };
  }
  const sql = `${mailboxColumns} WHERE priority = ? AND seq > ? ORDER BY seq LIMIT ?`;
  return { sql, args: [priority, afterSeq, limit], read: readMailboxRow };
}

/** The payload bytes of the rows that {@link mailboxQuery} gives, without reading the payloads. */
export function mailboxSizesQuery(
  afterSeq: number,
  limit: number,
  priority?: Priority,
): Query<number> {
  const ofPriority = priority === undefined ? "" : "priority = ? AND";
  const sql = `SELECT length(payload) AS size FROM mailbox WHERE ${ofPriority} seq > ? ORDER BY seq LIMIT ?`;
  const args = priority === undefined ? [afterSeq, limit] : [priority, afterSeq, limit];
  return { sql, args, read: (row) => Number(row["size"]) };
}

/** Mailbox rows by priority, and how many of them are claimed. */
export function mailboxCountsQuery(): Query<MailboxCounts> {
  const sql = `SELECT (SELECT count(*) FROM mailbox WHERE priority = 0) AS normal,
    (SELECT count(*) FROM mailbox WHERE priority = 1) AS high,
    count(*) FILTER (WHERE priority = 0) AS claimed_normal, count(*) FILTER (WHERE priority = 1) AS claimed_high
    FROM delivery JOIN mailbox USING (seq) WHERE claimed = 1`;
  const read = (row: SqlRow): MailboxCounts => ({
    queuedNormal: Number(row["normal"]) - Number(row["claimed_normal"]),
    queuedHigh: Number(row["high"]) - Number(row["claimed_high"]),
    claimed: Number(row["claimed_normal"]) + Number(row["claimed_high"]),
  });
  return { sql, args: [], read };
}

/** Answers above `afterSeq`, ascending. */
export function answersQuery(afterSeq: number, limit: number): Query<StoredAnswer> {
  const sql = `SELECT seq, caller, request_id, expires_at, response FROM answer
    WHERE seq > ? ORDER BY seq LIMIT ?`;
  const read = (row: SqlRow): StoredAnswer => ({
    seq: Number(row["seq"]),
    caller: String(row["caller"]),
    requestId: String(row["request_id"]),
    response: bytes(row["response"]),
    expiresAt: Number(row["expires_at"]),
  });
  return { sql, args: [afterSeq, limit], read };
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

/** The space after another, found without walking through its keys. */
export function nextSpaceQuery(space: string): Query<string | undefined> {
  const sql = "SELECT min(space) AS space FROM record WHERE space > ?";
  return { sql, args: [space], read: (row) => text(row["space"]) ?? undefined };
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
