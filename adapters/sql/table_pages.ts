import { ActrError } from "../../src/errors.ts";
import {
  quotedName,
  type SqlDriver,
  type SqlRow,
  type SqlStatement,
  type SqlValue,
} from "../../src/ports/sql_driver.ts";
import type { ExportValue } from "./export_lines.ts";

/** One table, as its rows are read and written. */
export interface TableShape {
  readonly name: string;
  /** The row's number first, where it has one; without those that are computed. */
  readonly columns: readonly string[];
  /** Columns that no two rows are alike in. */
  readonly keys: readonly string[];
}

/** Greatest float; what is beyond is infinite, and crosses no wire of a server. */
const greatest = "1.7976931348623157e308";

/** How the rows of a table are read. @throws ActrError `storage` for one whose rows nothing tells apart. */
export async function shapeOf(
  driver: SqlDriver,
  { name, numbered }: { readonly name: string; readonly numbered: boolean },
): Promise<TableShape> {
  const info = await driver.all(plain(`PRAGMA table_info(${quotedName(name)})`));
  const columns = info.map((column) => String(column["name"]));
  if (!numbered) {
    const keyed = info.filter((column) => Number(column["pk"]) > 0);
    keyed.sort((a, b) => Number(a["pk"]) - Number(b["pk"]));
    return { name, columns, keys: keyed.map((column) => String(column["name"])) };
  }
  const taken = new Set(columns.map((column) => column.toLowerCase()));
  const number = ["rowid", "_rowid_", "oid"].find((alias) => !taken.has(alias));
  if (number === undefined) {
    const message = `table ${name} of ${driver.name} hides the numbers of its rows behind columns called rowid, _rowid_ and oid; rename one`;
    throw new ActrError("storage", message);
  }
  return { name, columns: [number, ...columns], keys: [number] };
}

/** Rows of a table in pages of at most `size`, by its keys. */
export async function* tablePages(
  driver: SqlDriver,
  shape: TableShape,
  size: number,
): AsyncGenerator<ExportValue[][]> {
  const keys = shape.keys.map(quotedName).join(", ");
  const marks = shape.keys.map(() => "?").join(", ");
  const select = `SELECT ${selected(shape)} FROM ${quotedName(shape.name)}`;
  const order = `ORDER BY ${keys} LIMIT ${size}`;
  let page = await driver.all(plain(`${select} ${order}`));
  while (page.length > 0) {
    yield page.map((row) => valuesOf(row, shape));
    const args = keyOf(page.at(-1) as SqlRow, shape);
    page = await driver.all({ sql: `${select} WHERE (${keys}) > (${marks}) ${order}`, args });
  }
}

/** Each column under its number, and of which of them floats have to be told from integers. */
function selected({ columns }: TableShape): string {
  const names = columns.map(quotedName);
  const values = names.map((name, at) => {
    const infinite = `typeof(${name}) = 'real' AND abs(${name}) > ${greatest}`;
    return `CASE WHEN ${infinite} THEN NULL ELSE ${name} END AS c${at}`;
  });
  const kinds = names.map(
    (name) =>
      `CASE WHEN typeof(${name}) <> 'real' THEN 'v' WHEN ${name} > ${greatest} THEN '+' WHEN ${name} < -${greatest} THEN '-' ELSE 'r' END`,
  );
  return `${values.join(", ")}, ${kinds.join(" || ")} AS kinds`;
}

function valuesOf(row: SqlRow, { columns }: TableShape): ExportValue[] {
  const kinds = String(row["kinds"]);
  return columns.map((_, at) => exported(row[`c${at}`] ?? null, kinds[at]));
}

function exported(value: SqlValue, kind: string | undefined): ExportValue {
  if (kind === "+") return { real: "9e999" };
  if (kind === "-") return { real: "-9e999" };
  if (typeof value === "bigint") return { integer: String(value) };
  return kind === "r" && Number.isInteger(value) ? { real: String(value) } : value;
}

function keyOf(row: SqlRow, { columns, keys }: TableShape): SqlValue[] {
  return keys.map((key) => row[`c${columns.indexOf(key)}`] ?? null);
}

/** A statement that writes one row, given by {@link tablePages}. */
export function insertion(
  { name, columns }: Pick<TableShape, "name" | "columns">,
  values: readonly ExportValue[],
): SqlStatement {
  const marks = values.map((value) => (isReal(value) ? "CAST(? AS REAL)" : "?"));
  const into = `${quotedName(name)} (${columns.map(quotedName).join(", ")})`;
  return { sql: `INSERT INTO ${into} VALUES (${marks.join(", ")})`, args: values.map(imported) };
}

function imported(value: ExportValue): SqlValue {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  return "real" in value ? value.real : BigInt(value.integer);
}

function isReal(value: ExportValue): boolean {
  return typeof value === "object" && value !== null && "real" in value;
}

function plain(sql: string): SqlStatement {
  return { sql, args: [] };
}
