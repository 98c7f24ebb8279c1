import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import process from "node:process";
import { ActrError } from "../../src/errors.ts";
import type { Durability } from "../../src/options.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import type { Store } from "../../src/ports/store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { backupBeside } from "./backup.ts";
import { openLibsqlClient } from "./libsql_client.ts";
import { openLocalDriver } from "./local_driver.ts";
import { openError } from "./sql_errors.ts";
import { openSqlStore, type SqlStoreOptions } from "./sql_store.ts";

const remoteScheme = /^(libsql|https?|wss?):/;

/** How to reach a database. */
export interface OpenDriverOptions {
  /** Of a local file; a server decides for itself. @default "full" */
  readonly durability?: Durability;
  /** Credential of a libSQL server. */
  readonly authToken?: string;
  /** Makes a `file:` an embedded replica of this libSQL server: reads are local, writes go to the server. */
  readonly syncUrl?: string;
  /** Longest wait for one answer of a server, milliseconds. @default 5000 */
  readonly callTimeoutMs?: number;
  /** Works on a local file in a thread of its own: a slow disk holds up nothing else, and each commit takes a little longer. @default false */
  readonly worker?: boolean;
}

/** Options of {@link openStore}. */
export interface OpenStoreOptions extends SqlStoreOptions, OpenDriverOptions {}

/**
 * Opens the store at `url`: `:memory:`; `file:PATH` with the runtime's best SQLite, its folder made if missing;
 * `libsql:`, `http(s):`, `ws(s):` for a libSQL server. A local file of an earlier release is copied beside itself
 * before it is brought up to date.
 * @throws ActrError `config` for another url, `storage` when the database cannot be opened or belongs to another process.
 */
export async function openStore(
  url: string,
  options: OpenStoreOptions,
  signal: AbortSignal,
): Promise<Store> {
  if (url === ":memory:" && options.syncUrl === undefined) return new MemoryStore();
  const driver = await openDriver(url, options);
  const owner = `process ${process.pid} on ${hostname()}`;
  if (driver.remote) {
    return await openSqlStore(driver, { owner, ...options }, signal).catch(askedInVain);
  }
  const backup = backupBeside(filePath(url));
  return await openSqlStore(driver, { owner, backup, ...options }, signal);
}

/** @throws ActrError what came of asking a server, with what to do where it did not answer. */
function askedInVain(error: unknown): never {
  if (!ActrError.is(error) || error.details?.["fault"] !== "database") throw error;
  const { code, message, details } = error;
  const mend = "check that the server runs there, and the token if it asks for one";
  throw new ActrError(code, `${message}; ${mend}`, { cause: error, details });
}

/**
 * Opens the database at `url`, as {@link openStore} does, and nothing more.
 * @throws ActrError `config` for another url, `storage` when the database cannot be opened.
 */
export async function openDriver(url: string, options: OpenDriverOptions): Promise<SqlDriver> {
  checkOptions(url, options);
  const { durability = "full", authToken, callTimeoutMs, syncUrl, worker = false } = options;
  const remote = {
    durability,
    ...(authToken === undefined ? {} : { authToken }),
    ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }),
  };
  if (isServer(url)) return openLibsqlClient({ url, ...remote });
  const path = filePath(url);
  await makeFolder(path);
  if (syncUrl !== undefined) return openLibsqlClient({ url, syncUrl, ...remote });
  if (!worker) return openLocalDriver(path, durability);
  const { openWorkerDriver } = await import("./worker_driver.ts");
  return openWorkerDriver(path, durability);
}

/** Whether a store's url is the address of a libSQL server. */
export function isServer(url: string): boolean {
  return remoteScheme.test(url);
}

/** The path that a `file:` url means. @throws ActrError `config` for another url. */
export function filePath(url: string): string {
  const path = /^file:(?:\/\/(?=\/))?(?!\/\/)([^?#]+)$/.exec(url)?.[1];
  if (path !== undefined) return decodeURIComponent(path);
  throw new ActrError(
    "config",
    `store ${url} is not ":memory:", "file:PATH" or the address of a libSQL server`,
  );
}

/** @throws ActrError `config` naming what does not fit. */
function checkOptions(url: string, { syncUrl, callTimeoutMs = 1 }: OpenDriverOptions): void {
  if (!Number.isSafeInteger(callTimeoutMs) || callTimeoutMs < 1) {
    const mend = "it is a whole number of milliseconds of at least 1";
    throw new ActrError("config", `the time limit of the store is ${callTimeoutMs}; ${mend}`);
  }
  if (syncUrl === undefined) return;
  if (!isServer(syncUrl)) {
    throw new ActrError("config", `${syncUrl} to replicate from is no address of a libSQL server`);
  }
  if (!url.startsWith("file:")) {
    const mend = "name the file of the replica as file:PATH, or leave the address to replicate out";
    throw new ActrError("config", `store ${url} cannot be a replica of ${syncUrl}; ${mend}`);
  }
}

/** What is new of the way to a file is its owner's alone: a store holds the keys of its node. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw openError(error, path);
  }
}
