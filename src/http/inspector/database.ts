import { ActrError } from "../../errors.ts";
import type { ActorInspection } from "../../host/inspection/inspection.ts";
import {
  maxRowsShown,
  positional,
  readRows,
  readTables,
} from "../../host/inspection/inspection_database.ts";
import type { SqlValue } from "../../ports/sql_driver.ts";
import { plainOf, valueOfPlain } from "../../protocol/actors/plain.ts";

/** Tables of an actor's database. @throws ActrError `sqlite.not_configured`. */
export async function schemaJson(actor: ActorInspection): Promise<unknown> {
  return { schema: plainOf({ tables: await actor.inDatabase(readTables) }) };
}

/** Rows of one table. @throws ActrError `sqlite.*`, `actor.invalid_request`. */
export async function rowsJson(
  actor: ActorInspection,
  query: URLSearchParams,
  limit: number,
): Promise<unknown> {
  const table = query.get("table") ?? "";
  const offset = Number(query.get("offset") ?? 0);
  if (table === "") throw invalid("table is missing");
  if (!Number.isSafeInteger(offset) || offset < 0) throw invalid("offset is a whole number");
  const rows = await actor.inDatabase((sql) => readRows(sql, { table, limit, offset }));
  return { rows: plainOf(rows) };
}

/** Runs one statement, with `args` by position or `properties` by name. @throws ActrError `sqlite.*`, `actor.invalid_request`. */
export async function executeJson(
  actor: ActorInspection,
  body: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const { sql: text, args = [], properties } = body;
  if (typeof text !== "string" || text.trim() === "") throw invalid("sql is no statement");
  if (!Array.isArray(args)) throw invalid("args is no array");
  if (args.length > 0 && properties !== undefined) {
    throw invalid("use args or properties, not both");
  }
  const given = valueOfPlain(properties ?? args);
  const statement = Array.isArray(given)
    ? { sql: text, args: given as SqlValue[] }
    : positional(text, Object(given));
  const rows = await actor.inDatabase((sql) => sql.all(statement.sql, ...statement.args));
  return { rows: plainOf(rows.slice(0, maxRowsShown)), truncated: rows.length > maxRowsShown };
}

function invalid(message: string): ActrError {
  return new ActrError("actor.invalid_request", message);
}
