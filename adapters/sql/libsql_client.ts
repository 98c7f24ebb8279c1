import type { Client, ResultSet, Transaction } from "@libsql/client";
import { deadline } from "#async";
import type { Durability } from "../../src/options.ts";
import type {
  SqlDriver,
  SqlRow,
  SqlStatement,
  SqlTransaction,
} from "../../src/ports/sql_driver.ts";
import { collect } from "./collect.ts";
import { guardInput, isGuard, toInput } from "./libsql_statements.ts";
import { ClientTransaction, pass } from "./libsql_transaction.ts";
import { guardFailed, openError, toSqlError } from "./sql_errors.ts";
import { toRow } from "./values.ts";

/** How long a local file waits for another writer, milliseconds; it blocks the event loop. */
const busyTimeoutMs = 500;

/** Which libSQL database. */
export interface LibsqlClientOptions {
  /** `file:`, `libsql:`, `http(s):` or `ws(s):`. */
  readonly url: string;
  /** Credential of a server. */
  readonly authToken?: string;
  /** One of the databases of a server that has several, over `http:` or `https:`. */
  readonly namespace?: string;
  /** Makes a `file:` an embedded replica of this server. */
  readonly syncUrl?: string;
  /** For a local file; a server decides for itself. */
  readonly durability: Durability;
  /** Longest wait for an answer of a server, milliseconds. @default 5000 */
  readonly callTimeoutMs?: number;
  /** Returns a row as long as anything may be asked of the database; then all of it fails with `lease_lost`, reads too. */
  readonly guard?: SqlStatement;
  /** Whether batches look at foreign keys, where the database does by itself. @default true */
  readonly foreignKeys?: boolean;
}

/**
 * Opens a libSQL database through `@libsql/client`: file, server or embedded replica. Others may use it too.
 * @throws ActrError `storage` when the file cannot be opened or the options do not fit; a server is first asked later.
 */
export async function openLibsqlClient(options: LibsqlClientOptions): Promise<SqlDriver> {
  const { durability, callTimeoutMs = 5_000, namespace, ...given } = options;
  const { guard, foreignKeys = true, ...rest } = given;
  const config = namespace === undefined ? rest : { ...rest, fetch: fetchOf(namespace) };
  // Tokens may ride in the query.
  const name = `${options.url.replace(/[?#].*/, "").replace(/\/\/[^/@]*@/, "//")} (libsql client)`;
  const native = options.url.startsWith("file:");
  const replica = options.syncUrl !== undefined;
  try {
    const { createClient } = await import("@libsql/client");
    const connect = (): Client =>
      // One connection, so that its settings hold for every call.
      createClient({ ...config, intMode: "bigint", concurrency: 1, timeout: busyTimeoutMs });
    const rules = { callTimeoutMs, guard, foreignKeys };
    const driver = new ClientDriver(name, { connect, native, replica, ...rules });
    if (native) await driver.prepare(durability);
    return driver;
  } catch (error) {
    throw openError(error, name);
  }
}

interface ClientDriverOptions {
  readonly connect: () => Client;
  /** Whether a file is opened in this process. */
  readonly native: boolean;
  /** Whether that file follows a server, which all writes go to. */
  readonly replica: boolean;
  readonly callTimeoutMs: number;
  readonly guard: SqlStatement | undefined;
  readonly foreignKeys: boolean;
}

class ClientDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous = false;
  readonly exclusive = false;
  readonly remote: boolean;
  readonly #options: ClientDriverOptions;
  #client: Client;
  /** The last one; its end is told to nobody. */
  #transaction: Transaction | undefined;
  #closed = false;
  /** Whether the replica may lack what the server has. */
  #stale: boolean;
  /** The call before: an overlapping one would fail or share its transaction. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string, options: ClientDriverOptions) {
    this.name = name;
    this.remote = options.replica || !options.native;
    this.#options = options;
    this.#stale = options.replica;
    this.#client = options.connect();
  }

  /** Sets a file up, or brings a replica up to date. */
  async prepare(durability: Durability): Promise<void> {
    await this.#next(async (client) => {
      if (this.#options.replica) return;
      await client.execute("PRAGMA journal_mode = WAL");
      await client.execute(`PRAGMA synchronous = ${durability}`);
    });
  }

  run(statement: SqlStatement): Promise<void> {
    return this.#next(async (client) => {
      await this.#execute(client, statement, "write");
    });
  }

  all(statement: SqlStatement): Promise<SqlRow[]> {
    return this.#next(async (client) => {
      // A read takes no lock; what writes, such as INSERT … RETURNING, does then.
      const { rows } = await this.#execute(client, statement, "deferred");
      return rows.map((row) => toRow(row));
    });
  }

  batch(statements: readonly SqlStatement[], guard = this.#options.guard): Promise<void> {
    return this.#next(async (client) => {
      const inputs = statements.map(toInput);
      if (guard !== undefined) inputs.unshift(guardInput(guard));
      if (this.#options.foreignKeys) await client.batch(inputs, "write");
      else await client.migrate(inputs);
    });
  }

  begin(): Promise<SqlTransaction> {
    const { guard } = this.#options;
    return this.#next(async (client) => {
      const transaction = await client.transaction("write");
      this.#transaction = transaction;
      if (guard !== undefined) await pass(guard, transaction);
      return new ClientTransaction(transaction, (call) => this.#told(() => this.#limited(call)));
    });
  }

  async close(): Promise<void> {
    await this.#last;
    this.#closed = true;
    // It would keep its lock.
    this.#transaction?.close();
    this.#client.close();
    if (this.#options.native) await collect();
  }

  /** One statement, in one round trip with its guard. */
  async #execute(
    client: Client,
    statement: SqlStatement,
    mode: "write" | "deferred",
  ): Promise<ResultSet> {
    const { guard } = this.#options;
    if (guard === undefined) return await client.execute(toInput(statement));
    const inputs = [guardInput(guard), toInput(statement)];
    const [, result] = await client.batch(inputs, mode);
    return result as ResultSet;
  }

  #next<T>(call: (client: Client) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#told(() => this.#limited(() => this.#call(call))));
    this.#last = result.catch(() => {});
    return result;
  }

  async #told<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      // The failure may mean that the server knows more.
      this.#stale = this.#options.replica;
      throw isGuard(error) ? guardFailed(this.name) : toSqlError(error, this.name);
    }
  }

  async #call<T>(call: (client: Client) => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error("the database is closed");
    if (this.#stale) await this.#client.sync();
    this.#stale = false;
    return call(this.#client);
  }

  /** A server that does not answer in time is left alone, with what it may still be doing, for a new connection. */
  async #limited<T>(call: () => Promise<T>): Promise<T> {
    const { native, callTimeoutMs } = this.#options;
    try {
      return await (this.remote ? deadline(call(), callTimeoutMs) : call());
    } catch (error) {
      if (!isTimeout(error)) throw error;
      if (!native) this.#reconnect();
      throw new Error(`no answer within ${callTimeoutMs} ms`, { cause: error });
    }
  }

  #reconnect(): void {
    this.#client.close();
    this.#client = this.#options.connect();
  }
}

/** Names the database in each request: by its host, as is usual, it would need a domain with a wildcard. */
function fetchOf(namespace: string): (request: Request) => Promise<Response> {
  const [name, value] = namespaceHeader(namespace);
  return (request) => {
    request.headers.set(name, value);
    return fetch(request);
  };
}

/** The header of a request that is for one of a server's databases: Base64 without padding, as gRPC has it. */
export function namespaceHeader(namespace: string): readonly [name: string, value: string] {
  return ["x-namespace-bin", btoa(namespace).replace(/=+$/, "")];
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
