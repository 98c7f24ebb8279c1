import type { SqlRow, SqlValue } from "../../src/ports/sql_driver.ts";
import type { DeadLetter, DeadLetterQuery, DeadLetterStats } from "../../src/ports/store.ts";
import { bytes, bytesOrNull, text } from "./columns.ts";
import type { Query } from "./queries.ts";

/** The dead letter with this id. */
export function deadLetterQuery(id: string): Query<DeadLetter> {
  return { sql: "SELECT * FROM dead_letter WHERE id = ?", args: [id], read: readDeadLetter };
}

/** A page of dead letters. */
export function deadLettersQuery(limit: number, query: DeadLetterQuery): Query<DeadLetter> {
  const newest = query.first !== "oldest";
  const terms: [string, SqlValue | undefined][] = [
    ["category = ?", query.category],
    ["trace_id = ?", query.traceId],
    ["sender = ?", query.from],
    ["created_at > ?", query.createdAfter],
    [
      `(created_at, rowid) ${newest ? "<" : ">"} (SELECT created_at, rowid FROM dead_letter WHERE id = ?)`,
      query.after,
    ],
  ];
  const given = terms.filter((term): term is [string, SqlValue] => term[1] !== undefined);
  const where = given.length > 0 ? `WHERE ${given.map(([text]) => text).join(" AND ")}` : "";
  const order = newest ? "DESC" : "ASC";
  const sql = `SELECT * FROM dead_letter ${where} ORDER BY created_at ${order}, rowid ${order} LIMIT ?`;
  return { sql, args: [...given.map(([, value]) => value), limit], read: readDeadLetter };
}

/** Dead letters of each category. */
export function deadLetterStatsQuery(): Query<CategoryStats> {
  const sql = `SELECT category, count(*) AS total, count(*) FILTER (WHERE redrive_attempts > 0) AS redriven,
    min(created_at) AS oldest FROM dead_letter GROUP BY category`;
  const read = (row: SqlRow): CategoryStats => ({
    category: String(row["category"]),
    total: Number(row["total"]),
    redriven: Number(row["redriven"]),
    oldestAt: Number(row["oldest"]),
  });
  return { sql, args: [], read };
}

/** Counts of the dead letters of one category. */
export interface CategoryStats {
  readonly category: string;
  readonly total: number;
  readonly redriven: number;
  readonly oldestAt: number;
}

/** The counts of all categories together. */
export function sumStats(categories: readonly CategoryStats[]): DeadLetterStats {
  const sum = (of: (each: CategoryStats) => number) =>
    categories.reduce((total, each) => total + of(each), 0);
  return {
    total: sum(({ total }) => total),
    byCategory: Object.fromEntries(categories.map(({ category, total }) => [category, total])),
    redriven: sum(({ redriven }) => redriven),
    oldestAt:
      categories.length === 0 ? null : Math.min(...categories.map(({ oldestAt }) => oldestAt)),
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
