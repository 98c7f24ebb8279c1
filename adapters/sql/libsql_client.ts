import type { Client, InValue } from "@libsql/client";
import type { Durability } from "../../src/options.ts";
import type { SqlDriver, SqlRow, SqlStatement } from "../../src/ports/sql_driver.ts";
import { collect } from "./collect.ts";
import { guardFailed, openError, toSqlError } from "./sql_errors.ts";
import { toArgs, toRow } from "./values.ts";

/** How long a local file waits for another writer, milliseconds; it blocks the event loop. */
const busyTimeoutMs = 500;

/** Which libSQL database. */
export interface LibsqlClientOptions {
  /** `file:`, `libsql:`, `http(s):` or `ws(s):`. */
  readonly url: string;
  /** Credential of a server. */
  readonly authToken?: string;
  /** Makes a `file:` an embedded replica of this server. */
  readonly syncUrl?: string;
  /** For a local file; a server decides for itself. */
  readonly durability: Durability;
}

/**
 * Opens a libSQL database through `@libsql/client`: file, server or embedded replica. Others may use it too.
 * @throws ActrError `storage` when the file cannot be opened or the options do not fit; a server is first asked later.
 */
export async function openLibsqlClient(options: LibsqlClientOptions): Promise<SqlDriver> {
  const { durability, ...config } = options;
  // Tokens may ride in the query.
  const name = `${options.url.replace(/[?#].*/, "").replace(/\/\/[^/@]*@/, "//")} (libsql client)`;
  const { createClient } = await import("@libsql/client");
  const local = options.url.startsWith("file:") && options.syncUrl === undefined;
  try {
    // One connection, so that its settings hold for every call.
    const client = createClient({
      ...config,
      intMode: "bigint",
      concurrency: 1,
      timeout: busyTimeoutMs,
    });
    if (local) {
      await client.execute("PRAGMA journal_mode = WAL");
      await client.execute(`PRAGMA synchronous = ${durability}`);
    }
    return new ClientDriver(name, client, options.url.startsWith("file:"));
  } catch (error) {
    throw openError(error, name);
  }
}

interface Input {
  readonly sql: string;
  readonly args: InValue[];
}

class ClientDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous = false;
  readonly exclusive = false;
  readonly #client: Client;
  readonly #native: boolean;
  /** The call before: an overlapping one would fail or share its transaction. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string, client: Client, native: boolean) {
    this.name = name;
    this.#client = client;
    this.#native = native;
  }

  run(statement: SqlStatement): Promise<void> {
    return this.#next(async () => {
      await this.#client.execute(toInput(statement));
    });
  }

  all(statement: SqlStatement): Promise<SqlRow[]> {
    return this.#next(async () => {
      const { rows } = await this.#client.execute(toInput(statement));
      return rows.map((row) => toRow(row));
    });
  }

  batch(statements: readonly SqlStatement[], guard?: SqlStatement): Promise<void> {
    return this.#next(async () => {
      const inputs = statements.map(toInput);
      if (guard !== undefined) inputs.unshift(guardInput(guard));
      await this.#client.batch(inputs, "write");
    });
  }

  async close(): Promise<void> {
    await this.#next(async () => this.#client.close());
    if (this.#native) await collect();
  }

  #next<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(call).catch((error: unknown) => {
      throw isGuard(error) ? guardFailed(this.name) : toSqlError(error, this.name);
    });
    this.#last = result.catch(() => {});
    return result;
  }
}

/** Fails the batch, and with it the transaction, in one round trip: an error raised by SQL is the only way to stop it. */
function guardInput(guard: SqlStatement): Input {
  return toInput({
    sql: `SELECT CASE WHEN EXISTS (${guard.sql}) THEN 1 ELSE json('roost guard') END`,
    args: guard.args,
  });
}

/** No statement of ours parses JSON otherwise. */
function isGuard(error: unknown): boolean {
  return error instanceof Error && error.message.includes("malformed JSON");
}

function toInput({ sql, args }: SqlStatement): Input {
  return { sql, args: toArgs(args) };
}
