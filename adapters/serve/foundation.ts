import { ActrError } from "../../src/errors.ts";
import type { Fetch } from "../../src/http/app.ts";
import { UndoStack } from "../../src/node/undo_stack.ts";
import { defaultNodeOptions } from "../../src/options.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Logger } from "../../src/ports/logger.ts";
import type { Random } from "../../src/ports/random.ts";
import type { HttpServer, Sockets } from "../../src/ports/sockets.ts";
import type { SqlDatabases } from "../../src/ports/sql_databases.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Tracer } from "../../src/ports/tracer.ts";
import { consoleLogger } from "../console/console_logger.ts";
import { isServer, type OpenDriverOptions, openStore } from "../sql/open.ts";
import { databasesBeside, openDatabases } from "../sql/open_databases.ts";
import { systemClock } from "../system_clock.ts";
import { systemRandom } from "../system_random.ts";
import type { ActorStoreOptions, EndpointOptions, Runtime } from "./options.ts";

/** What everything served stands on, and how to take it down again. */
export interface Foundation {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tracer: Tracer | undefined;
  readonly store: Store;
  /** Where the databases of actors are. */
  readonly databases: SqlDatabases | undefined;
  readonly sockets: Sockets;
  readonly signal: AbortSignal;
  readonly undo: UndoStack;
}

/** What a foundation is told. */
export interface FoundationOptions extends EndpointOptions, Pick<ActorStoreOptions, "actorStore"> {
  /** Opens the store beside other processes. @default false */
  readonly storeShared?: boolean;
}

/** Opens the store on the system's clock and randomness. @throws ActrError `config`, `storage`. */
export async function layFoundation(
  runtime: Runtime,
  options: FoundationOptions,
  {
    stopTimeoutMs = defaultNodeOptions.lifecycle.stopTimeoutMs,
  }: { readonly stopTimeoutMs?: number } = {},
): Promise<Foundation> {
  const clock = systemClock();
  const random = systemRandom();
  const { log = consoleLogger(), tracer } = options;
  const signal = options.signal ?? new AbortController().signal;
  const undo = new UndoStack({ clock, log }, { timeoutMs: stopTimeoutMs });
  const store = await ownStore(options, { clock, random, undo }, signal);
  const databases = databasesOf(options);
  return { clock, random, log, tracer, store, databases, sockets: runtime.sockets, signal, undo };
}

/** The store that the options name; one that is handed over open stays its owner's. */
async function ownStore(
  options: FoundationOptions,
  { clock, random, undo }: Pick<Foundation, "clock" | "random" | "undo">,
  signal: AbortSignal,
): Promise<Store> {
  const { store: wanted = ":memory:", storeShared: shared = false } = options;
  if (typeof wanted !== "string") return wanted;
  if (shared) requireServer("store", wanted);
  const reach = databaseOptions(options);
  const store = await openStore(wanted, { clock, random, shared, ...reach }, signal);
  undo.push("store", () => store.close());
  return store;
}

/** The databases that the options name, or those beside the store: actors that move would leave these behind. */
function databasesOf({
  actorStore,
  databases,
  store = ":memory:",
  durability,
}: EndpointOptions & Pick<ActorStoreOptions, "actorStore">): SqlDatabases | undefined {
  const isBeside = typeof store === "string" && actorStore === undefined;
  const wanted = databases ?? (isBeside ? databasesBeside(store) : undefined);
  return typeof wanted === "string" ? openDatabases(wanted, durability) : wanted;
}

/** The store that nodes share for their actors, where the options name one. @throws ActrError `config`, `storage`. */
export async function openActorStore(
  { clock, random, undo, signal }: Foundation,
  { actorStore: wanted, actorStoreToken, storeTimeoutMs }: ActorStoreOptions,
): Promise<Store | undefined> {
  if (typeof wanted !== "string") return wanted;
  requireServer("actorStore", wanted);
  const reach = databaseOptions({
    ...(actorStoreToken === undefined ? {} : { storeToken: actorStoreToken }),
    ...(storeTimeoutMs === undefined ? {} : { storeTimeoutMs }),
  });
  const store = await openStore(wanted, { clock, random, shared: true, ...reach }, signal);
  undo.push("actor store", () => store.close());
  return store;
}

/** @throws ActrError `config` for a store that several processes cannot have open. */
function requireServer(name: string, url: string): void {
  if (isServer(url)) return;
  const mend = "name a libSQL server, which several processes can have open, or do not share it";
  throw new ActrError("config", `${name} is ${url}; ${mend}`);
}

/** How the database of a store is reached. */
export function databaseOptions(
  options: Pick<
    EndpointOptions,
    "durability" | "storeToken" | "storeSyncUrl" | "storeTimeoutMs" | "storeWorker"
  >,
): OpenDriverOptions {
  const { durability, storeToken, storeSyncUrl, storeTimeoutMs, storeWorker } = options;
  return {
    ...(durability === undefined ? {} : { durability }),
    ...(storeWorker === undefined ? {} : { worker: storeWorker }),
    ...(storeToken === undefined ? {} : { authToken: storeToken }),
    ...(storeSyncUrl === undefined ? {} : { syncUrl: storeSyncUrl }),
    ...(storeTimeoutMs === undefined ? {} : { callTimeoutMs: storeTimeoutMs }),
  };
}

/** Binds the port and serves `fetch`. @throws ActrError `config` when the port is taken. */
export async function bind(
  { sockets, undo }: Foundation,
  options: EndpointOptions,
  fetch: Fetch,
): Promise<HttpServer> {
  if (sockets.serve === undefined) {
    throw new ActrError("config", `${sockets.name} sockets cannot listen on this runtime`);
  }
  const { port = 8080, hostname = "0.0.0.0" } = options;
  const server = await sockets.serve({ port, hostname, fetch });
  undo.push("http", () => server.close());
  return server;
}

/** The server's base address as this machine reaches it. */
export function localUrl({ hostname, port }: HttpServer): string {
  const anyAddress = hostname === "0.0.0.0" || hostname === "::";
  const host = anyAddress ? "127.0.0.1" : hostname;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
