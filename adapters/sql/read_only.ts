import { stat } from "node:fs/promises";
import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from "../../src/ports/sql_driver.ts";
import { collect } from "./collect.ts";
import { openError, toSqlError } from "./sql_errors.ts";
import { toArgs, toRow } from "./values.ts";

/** What the bindings have in common where only rows are read. */
interface Reader {
  all(sql: string, args: readonly SqlValue[]): readonly Readonly<Record<string, unknown>>[];
  close(): void | Promise<void>;
}

/**
 * Opens a file for reading alone: neither the file nor its log is changed, not even when its last owner was killed.
 * @throws ActrError `storage` when it cannot be opened; reads fail so, too, while another process has it.
 */
export async function openReadOnly(path: string): Promise<SqlDriver> {
  // Without a log nobody is writing, and there is no reason to leave files of locks behind.
  const mode = (await hasContents(`${path}-wal`)) ? "mode=ro" : "immutable=1";
  const url = `file:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}?${mode}`;
  try {
    return new ReadOnlyDriver(path, (await openWithNode(url)) ?? (await openWithLibsql(url)));
  } catch (error) {
    throw openError(error, path);
  }
}

async function hasContents(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.size > 0;
}

interface NodeModule {
  readonly DatabaseSync: new (
    url: string,
    options: { readonly readOnly: boolean },
  ) => {
    prepare(sql: string): {
      setReadBigInts(enabled: boolean): void;
      all(...args: readonly SqlValue[]): Record<string, unknown>[];
    };
    close(): void;
  };
}

/** Undefined where the runtime has no `node:sqlite`. */
async function openWithNode(url: string): Promise<Reader | undefined> {
  // Not a literal, so that bundlers and Node 20 do not look for it before it is wanted.
  const name = "node:sqlite";
  const module: NodeModule | undefined = await import(name).catch(() => undefined);
  if (module === undefined) return undefined;
  const database = new module.DatabaseSync(url, { readOnly: true });
  const all: Reader["all"] = (sql, args) => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all(...args);
  };
  return { all, close: () => database.close() };
}

interface LibsqlModule {
  readonly default: new (
    url: string,
  ) => {
    prepare(sql: string): {
      safeIntegers(enabled: boolean): void;
      all(args: readonly SqlValue[]): Record<string, unknown>[];
    };
    close(): void;
  };
}

async function openWithLibsql(url: string): Promise<Reader> {
  const module = (await import("libsql")) as unknown as LibsqlModule;
  const database = new module.default(url);
  const all: Reader["all"] = (sql, args) => {
    const statement = database.prepare(sql);
    statement.safeIntegers(true);
    return statement.all(args);
  };
  const close = (): Promise<void> => {
    database.close();
    return collect();
  };
  return { all, close };
}

class ReadOnlyDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous = true;
  readonly exclusive = false;
  readonly remote = false;
  readonly #reader: Reader;

  constructor(name: string, reader: Reader) {
    this.name = name;
    this.#reader = reader;
  }

  all({ sql, args }: SqlStatement): SqlRow[] {
    try {
      return this.#reader.all(sql, toArgs(args)).map(toRow);
    } catch (error) {
      // The lock of another process shows at the first read.
      const opened = openError(error, this.name);
      throw opened.details?.["inUse"] === true ? opened : toSqlError(error, this.name);
    }
  }

  run(): never {
    throw toSqlError("it is open for reading alone", this.name);
  }

  batch(): never {
    return this.run();
  }

  close(): void | Promise<void> {
    return this.#reader.close();
  }
}
