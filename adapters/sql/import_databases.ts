import { ActrError } from "../../src/errors.ts";
import type { SqlDriver, SqlStatement } from "../../src/ports/sql_driver.ts";
import { sequences } from "./export_databases.ts";
import type { DatabaseLine } from "./export_lines.ts";
import type { PortableDatabases } from "./portable_databases.ts";
import { insertion, type TableShape } from "./table_pages.ts";

/** Fills the databases of actors with the lines of an export, one after the other. */
export class DatabaseImport {
  readonly #databases: PortableDatabases | undefined;
  readonly #batchSize: number;
  #driver: SqlDriver | undefined;
  #table: Pick<TableShape, "name" | "columns"> | undefined;
  #batch: SqlStatement[] = [];

  constructor(databases: PortableDatabases | undefined, batchSize: number) {
    this.#databases = databases;
    this.#batchSize = batchSize;
  }

  /** @throws ActrError `invalid_argument` where there is no place for databases, or one is there already; `storage`. */
  async take(line: DatabaseLine): Promise<void> {
    if (line.kind === "database") await this.#begin(line);
    else this.#batch.push(...this.#statements(line));
    if (this.#batch.length >= this.#batchSize) await this.#flush();
  }

  /** The last database is whole. */
  async end(): Promise<void> {
    await this.#flush();
    await this.close();
  }

  /** Closes the database that is being filled. */
  async close(): Promise<void> {
    await this.#driver?.close();
    this.#driver = undefined;
    this.#table = undefined;
  }

  async #begin({ name, userVersion }: DatabaseLine & { kind: "database" }): Promise<void> {
    await this.end();
    if (this.#databases === undefined) {
      const message = "the export has databases of actors; name where they go with --databases";
      throw new ActrError("invalid_argument", message);
    }
    if (await this.#databases.has(name)) {
      const message = `there is a database ${name} already; import into a new place`;
      throw new ActrError("invalid_argument", message);
    }
    this.#driver = await this.#databases.openForImport(name);
    if (userVersion === 0) return;
    await this.#driver.run({ sql: `PRAGMA user_version = ${Number(userVersion)}`, args: [] });
  }

  #statements(line: Exclude<DatabaseLine, { kind: "database" }>): SqlStatement[] {
    switch (line.kind) {
      case "statement":
        return [{ sql: line.sql, args: [] }];
      case "table":
        this.#table = line;
        // It counts the rows that were written until now.
        return line.name === sequences ? [{ sql: `DELETE FROM ${sequences}`, args: [] }] : [];
      case "row":
        if (this.#table === undefined) throw misplaced();
        return [insertion(this.#table, line.values)];
    }
  }

  async #flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    if (this.#driver === undefined) throw misplaced();
    await this.#driver.batch(this.#batch);
    this.#batch = [];
  }
}

function misplaced(): ActrError {
  const message = "the import has rows or statements that belong to no table or database";
  return new ActrError("invalid_argument", message);
}
