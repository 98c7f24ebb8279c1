import type { Sql } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import { quotedName, type SqlRow, type SqlValue } from "../../ports/sql_driver.ts";

/** One table or view of an actor's database. */
export interface TableView {
  readonly table: { readonly schema: "main"; readonly name: string; readonly type: string };
  /** As `PRAGMA table_info` tells them. */
  readonly columns: readonly SqlRow[];
  readonly foreignKeys: readonly SqlRow[];
  /** How many rows it has. */
  readonly records: number;
}

/** Which rows of a table are shown. */
export interface RowsQuery {
  readonly table: string;
  readonly limit: number;
  readonly offset: number;
}

/** Tables that are shown. */
const maxTables = 200;
/** Rows that one statement shows; a longer answer is cut off. */
export const maxRowsShown = 500;

/** What an actor's database is made of (`spec/actor-host.md` §16.3). */
export async function readTables(sql: Sql): Promise<TableView[]> {
  const tables = await sql.all<{ name: string; type: string }>(
    "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT ?",
    maxTables,
  );
  const views: TableView[] = [];
  for (const { name, type } of tables) {
    const quoted = quotedName(name);
    const columns = await sql.all(`PRAGMA table_info(${quoted})`);
    const foreignKeys = await sql.all(`PRAGMA foreign_key_list(${quoted})`);
    const count = await sql.get<{ records: number }>(`SELECT count(*) AS records FROM ${quoted}`);
    const table = { schema: "main", name, type } as const;
    views.push({ table, columns, foreignKeys, records: count?.records ?? 0 });
  }
  return views;
}

/** Rows of one table. @throws ActrError `sqlite.statement_failed`. */
export function readRows(sql: Sql, { table, limit, offset }: RowsQuery): Promise<SqlRow[]> {
  const shown = Math.min(limit, maxRowsShown);
  return sql.all(`SELECT * FROM ${quotedName(table)} LIMIT ? OFFSET ?`, shown, offset);
}

/**
 * A statement that reads what `sql` does, and one row more than is shown at most. Whatever it is, it is part of a SELECT, which
 * changes nothing: what writes does not parse there.
 */
export function readOnly(sql: string): string {
  let end = sql.length;
  // By hand: a pattern that ends with $ tries anew at each of many blanks.
  while (/[\s;]/.test(sql.charAt(end - 1))) end -= 1;
  return `SELECT * FROM (\n${sql.slice(0, end)}\n) LIMIT ${maxRowsShown + 1}`;
}

/** What stands for itself in SQL, up to the end where it is not closed, and parameters by name. */
const tokens =
  /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`[^`]*`?|\[[^\]]*\]?|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[:@$]([A-Za-z_]\w*)/g;

/**
 * A statement with parameters by name (`:name`, `@name`, `$name`) as one with parameters by position.
 * @throws ActrError `actor.invalid_request` for a name that nothing is given for.
 */
export function positional(
  sql: string,
  properties: Readonly<Record<string, SqlValue>>,
): { readonly sql: string; readonly args: readonly SqlValue[] } {
  const args: SqlValue[] = [];
  const text = sql.replace(tokens, (token: string, name: string | undefined) => {
    if (name === undefined) return token;
    if (!Object.hasOwn(properties, name)) {
      throw new ActrError("actor.invalid_request", `there is no property ${name}`);
    }
    args.push(properties[name] as SqlValue);
    return "?";
  });
  return { sql: text, args };
}
