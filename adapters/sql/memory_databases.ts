import { checkDatabaseName } from "../../src/ports/sql_databases.ts";
import type {
  SqlDriver,
  SqlRow,
  SqlStatement,
  SqlTransaction,
} from "../../src/ports/sql_driver.ts";
import type { PortableDatabases } from "./portable_databases.ts";
import { toSqlError } from "./sql_errors.ts";

/** Databases in memory: what is closed is there when it is opened again, and all of it is lost with this object. */
export class MemoryDatabases implements PortableDatabases {
  readonly shared = false;
  readonly #databases = new Map<string, Promise<SqlDriver>>();

  async open(name: string): Promise<SqlDriver> {
    checkDatabaseName(name);
    const known = this.#databases.get(name);
    if (known !== undefined) return await opened(await known);
    const opening = openInMemory();
    this.#databases.set(name, opening);
    opening.catch(() => this.#databases.delete(name));
    return await opened(await opening);
  }

  async has(name: string): Promise<boolean> {
    return this.#databases.has(name);
  }

  openForImport(name: string): Promise<SqlDriver> {
    return this.open(name);
  }

  async delete(name: string): Promise<void> {
    checkDatabaseName(name);
    const database = await this.#databases.get(name);
    this.#databases.delete(name);
    await database?.close();
  }
}

/** Loaded when it is wanted: who tests actors without SQL needs no SQLite. */
async function openInMemory(): Promise<SqlDriver> {
  const { openLocalDriver } = await import("./local_driver.ts");
  return await openLocalDriver(":memory:", "normal");
}

/** As a file is found after a crash: what was not committed is not there. */
async function opened(database: SqlDriver): Promise<SqlDriver> {
  try {
    await database.run({ sql: "ROLLBACK", args: [] });
  } catch {
    // There was nothing to take back, as mostly.
  }
  return new LastingDriver(database);
}

/** A database that outlives its close. */
class LastingDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous: boolean;
  readonly exclusive = true;
  readonly remote = false;
  #database: SqlDriver | undefined;

  constructor(database: SqlDriver) {
    this.name = database.name;
    this.synchronous = database.synchronous;
    this.#database = database;
  }

  run(statement: SqlStatement): void | Promise<void> {
    return this.#opened.run(statement);
  }

  all(statement: SqlStatement): SqlRow[] | Promise<SqlRow[]> {
    return this.#opened.all(statement);
  }

  batch(statements: readonly SqlStatement[], guard?: SqlStatement): void | Promise<void> {
    return this.#opened.batch(statements, guard);
  }

  begin(): SqlTransaction | Promise<SqlTransaction> {
    const { begin } = this.#opened;
    if (begin === undefined) throw new TypeError("the runtime's SQLite has no transactions");
    return begin.call(this.#opened);
  }

  close(): void {
    this.#database = undefined;
  }

  get #opened(): SqlDriver {
    if (this.#database !== undefined) return this.#database;
    throw toSqlError(new Error("the database is closed"), this.name);
  }
}
