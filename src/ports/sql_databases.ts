import type { SqlDriver } from "./sql_driver.ts";

/** Databases of SQLite by name, each apart from all others: one for each actor that has SQL of its own. */
export interface SqlDatabases {
  /** Whether other processes reach them too, so that one which was taken for dead may still have a database open. */
  readonly shared: boolean;
  /**
   * Opens the database of this name, which is made when there is none. Whoever opens it closes it before it is opened
   * again. @param name letters, digits, `-` and `_`.
   * @param owner where they are shared, claims it: whatever is asked of it under a smaller number, a read too, fails
   * with `lease_lost` from then on. What was opened without a number is not fenced.
   * @throws ActrError `storage` when it cannot be opened, `lease_lost` when a greater number has claimed it; RangeError
   * for another name.
   */
  open(name: string, owner?: number): Promise<SqlDriver>;
  /** Deletes a database that is not open, with all that is in it; does nothing where there is none. @throws as {@link SqlDatabases.open}. */
  delete(name: string): Promise<void>;
}

/** @throws RangeError for a name that no database can have. */
export function checkDatabaseName(name: string): void {
  if (/^[\w-]{1,128}$/.test(name)) return;
  throw new RangeError(
    `${JSON.stringify(name)} names no database; a name has up to 128 letters, digits, "-" and "_"`,
  );
}
