import { everyActor } from "../../src/host/contents.ts";
import type { SqlDriver, SqlRow } from "../../src/ports/sql_driver.ts";
import type { Store } from "../../src/ports/store.ts";
import type { DatabaseLine } from "./export_lines.ts";
import type { PortableDatabases } from "./portable_databases.ts";
import { shapeOf, tablePages } from "./table_pages.ts";

/** Numbers that tables with AUTOINCREMENT have given; SQLite makes it with the first of these. */
export const sequences = "sqlite_sequence";

/** What is in the databases of a store's actors: page after page of lines, one actor after the other. @throws ActrError `storage`. */
export async function* databasePages(
  store: Store,
  databases: PortableDatabases,
  size: number,
): AsyncGenerator<DatabaseLine[]> {
  for await (const name of everyActor(store)) {
    if (!(await databases.has(name))) continue;
    const driver = await databases.open(name);
    try {
      yield* pagesOf(driver, name, size);
    } finally {
      await driver.close();
    }
  }
}

async function* pagesOf(
  driver: SqlDriver,
  name: string,
  size: number,
): AsyncGenerator<DatabaseLine[]> {
  const [version] = await ask(driver, "PRAGMA user_version");
  const tables = await tablesOf(driver);
  const { made, later } = await schemaOf(driver, new Set(tables.map((table) => table.name)));
  yield [{ kind: "database", name, userVersion: Number(version?.["user_version"] ?? 0) }, ...made];
  for (const table of tables) {
    const shape = await shapeOf(driver, table);
    let begin: DatabaseLine[] = [{ kind: "table", name: shape.name, columns: shape.columns }];
    for await (const rows of tablePages(driver, shape, size)) {
      yield [...begin, ...rows.map((values) => ({ kind: "row", values }) as const)];
      begin = [];
    }
  }
  if (later.length > 0) yield later;
}

/** Tables that have rows of their own: what a virtual table keeps in others comes with it. */
async function tablesOf(
  driver: SqlDriver,
): Promise<{ readonly name: string; readonly numbered: boolean }[]> {
  const all = await ask(driver, "PRAGMA table_list");
  const own = all.filter(
    ({ schema, type, name }) =>
      schema === "main" && (type === "table" || type === "virtual") && isOwn(String(name)),
  );
  return own.map(({ name, wr }) => ({ name: String(name), numbered: Number(wr) === 0 }));
}

function isOwn(name: string): boolean {
  return name === sequences || !/^(sqlite|libsql)_/i.test(name);
}

/** What makes `tables`, and what is made when they are full. */
async function schemaOf(
  driver: SqlDriver,
  tables: ReadonlySet<string>,
): Promise<{ readonly made: DatabaseLine[]; readonly later: DatabaseLine[] }> {
  const all = await ask(
    driver,
    "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid",
  );
  const made = all.filter(
    ({ type, name }) => type === "table" && tables.has(String(name)) && name !== sequences,
  );
  const later = all.filter(({ type, name }) => type !== "table" && isOwn(String(name)));
  return { made: made.map(statement), later: later.map(statement) };
}

function statement({ sql }: SqlRow): DatabaseLine {
  return { kind: "statement", sql: String(sql) };
}

async function ask(driver: SqlDriver, sql: string): Promise<SqlRow[]> {
  return await driver.all({ sql, args: [] });
}
