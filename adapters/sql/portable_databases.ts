import type { SqlDatabases } from "../../src/ports/sql_databases.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";

/** Databases of actors that an export can find, and an import can fill. */
export interface PortableDatabases extends SqlDatabases {
  /** Whether there is a database of this name. @throws as {@link SqlDatabases.open}. */
  has(name: string): Promise<boolean>;
  /** Opens a database for an import: batches do not look at foreign keys, since rows come before those that they name. */
  openForImport(name: string): Promise<SqlDriver>;
}
