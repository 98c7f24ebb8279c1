import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Durability } from "../../src/options.ts";
import { checkDatabaseName } from "../../src/ports/sql_databases.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import { openLocalDriver } from "./local_driver.ts";
import type { PortableDatabases } from "./portable_databases.ts";
import { openError } from "./sql_errors.ts";

/** Opens the file of one database. */
export type OpenFile = (path: string, durability: Durability) => Promise<SqlDriver>;

/** What SQLite keeps beside a database. */
const companions = ["", "-wal", "-shm", "-journal"];

/** Databases in files of one folder, which is made with the first of them. */
export class FolderDatabases implements PortableDatabases {
  readonly shared = false;
  readonly #folder: string;
  readonly #durability: Durability;
  readonly #openFile: OpenFile;

  /** @param openFile opens a file that this process has to itself. @default the runtime's best SQLite */
  constructor(folder: string, durability: Durability, openFile: OpenFile = openUnlocked) {
    this.#folder = folder;
    this.#durability = durability;
    this.#openFile = openFile;
  }

  async open(name: string): Promise<SqlDriver> {
    const path = this.#path(name);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw openError(error, path);
    }
    return await this.#openFile(path, this.#durability);
  }

  async has(name: string): Promise<boolean> {
    const path = this.#path(name);
    try {
      await stat(path);
      return true;
    } catch (error) {
      // What cannot be looked at may be there: an export without it would not be whole.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw openError(error, path);
    }
  }

  openForImport(name: string): Promise<SqlDriver> {
    // Its connections look at no foreign keys, unless code asks them to.
    return this.open(name);
  }

  async delete(name: string): Promise<void> {
    const path = this.#path(name);
    try {
      for (const suffix of companions) await rm(path + suffix, { force: true });
    } catch (error) {
      throw openError(error, path);
    }
  }

  #path(name: string): string {
    checkDatabaseName(name);
    return join(this.#folder, `${name}.db`);
  }
}

/** Who has the store has these files too: a lock of their own would make each close wait for a garbage collection. */
function openUnlocked(path: string, durability: Durability): Promise<SqlDriver> {
  return openLocalDriver(path, durability, "NORMAL");
}
