import { ActrError } from "../../errors.ts";
import type { ActorInspection } from "../../host/inspection/inspection.ts";
import {
  maxRowsShown,
  positional,
  readOnly,
  readRows,
  readTables,
} from "../../host/inspection/inspection_database.ts";
import type { SqlRow, SqlValue } from "../../ports/sql_driver.ts";
import { plainOf, valueOfPlain } from "../../protocol/actors/plain.ts";

/** Longest statement, and longest answer in JSON, characters. */
const maxSqlLength = 100_000;
const maxAnswerLength = 1024 * 1024;

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
  const { sql: text, args } = statementOf(body);
  return shown(await actor.inDatabase((sql) => sql.all(text, ...args)));
}

/** As {@link executeJson}, of a statement that can change nothing. @throws ActrError `sqlite.statement_failed` for one that would. */
export async function queryJson(
  actor: ActorInspection,
  body: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const { sql: text, args } = statementOf(body);
  return shown(await actor.inDatabase((sql) => sql.all(readOnly(text), ...args)));
}

interface Statement {
  readonly sql: string;
  readonly args: readonly SqlValue[];
}

function statementOf(body: Readonly<Record<string, unknown>>): Statement {
  const { sql: text, args = [], properties } = body;
  if (typeof text !== "string" || text.trim() === "") throw invalid("sql is no statement");
  if (text.length > maxSqlLength) throw invalid(`sql has more than ${maxSqlLength} characters`);
  if (!Array.isArray(args)) throw invalid("args is no array");
  if (args.length > 0 && properties !== undefined) {
    throw invalid("use args or properties, not both");
  }
  const given = valueOfPlain(properties ?? args);
  if (Array.isArray(given)) return { sql: text, args: given as SqlValue[] };
  return positional(text, Object(given));
}

/** The first rows, as many as an answer takes. */
function shown(rows: readonly SqlRow[]): { readonly rows: unknown[]; readonly truncated: boolean } {
  const fitting: unknown[] = [];
  let length = 0;
  for (const row of rows.slice(0, maxRowsShown)) {
    const plain = plainOf(row);
    length += JSON.stringify(plain).length;
    if (length > maxAnswerLength) break;
    fitting.push(plain);
  }
  return { rows: fitting, truncated: fitting.length < rows.length };
}

function invalid(message: string): ActrError {
  return new ActrError("actor.invalid_request", message);
}
