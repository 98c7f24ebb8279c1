import process from "node:process";
import type { WithActors } from "../../src/actor_client.ts";
import type { NodeDefinition } from "../../src/define.ts";
import { connectPeer } from "../serve/connect.ts";
import type {
  ConnectOptions,
  Peer,
  RendezvousEndpointOptions,
  Runtime,
  Served,
  ServedRendezvous,
  ServeOptions,
} from "../serve/options.ts";
import { serveRendezvous } from "../serve/rendezvous.ts";
import { serveNode } from "../serve/serve.ts";
import { Prepared } from "../serve/stages.ts";
import { wrtcPeerConnections } from "../wrtc/peer_connections.ts";
import { bunSockets } from "./sockets.ts";

export { consoleLogger, silentLogger } from "../console/console_logger.ts";
export { openTelemetry } from "../opentelemetry/tracer.ts";
export { type RegistryTrust, registryTrust } from "../registry_trust.ts";
export type {
  ConnectOptions,
  EndpointOptions,
  Peer,
  RendezvousEndpointOptions,
  Runtime,
  Served,
  ServedGuest,
  ServedRendezvous,
  ServeOptions,
  Target,
} from "../serve/options.ts";
export type { Attached, Prepared, Registered, StageBounds } from "../serve/stages.ts";
export { openStore } from "../sql/open.ts";
export { openDatabases } from "../sql/open_databases.ts";
export { type ServerDatabasesOptions, serverDatabases } from "../sql/server_databases.ts";
export { bunSockets } from "./sockets.ts";

/** Bun with its own HTTP server and WebSocket. */
export function bunRuntime(): Runtime {
  return {
    name: `bun ${process.versions["bun"] ?? "unknown"}`,
    sockets: bunSockets(),
    peerConnections: wrtcPeerConnections,
  };
}

/**
 * Serves a node on Bun.
 * @throws ActrError `config`, `storage`, `registration`, `unavailable`; then nothing is left running.
 */
export function serve(app: NodeDefinition, options: ServeOptions = {}): Promise<Served> {
  return serveNode(bunRuntime(), app, options);
}

/**
 * The same in stages, each with only the steps that may come next: `prepare(options).attach(app)`, then
 * `register()`, then `start()`. A stage that is disposed before the next one gives everything up.
 *
 * @example
 * ```ts
 * await using registered = await prepare({ port: 8080 }).attach(app).register();
 * console.log(registered.id);
 * await using node = await registered.start();
 * ```
 */
export function prepare(options: ServeOptions = {}): Prepared {
  return new Prepared(bunRuntime(), options);
}

/** Serves a rendezvous alone on Bun. @throws ActrError `config`, `storage`. */
export function rendezvous(options: RendezvousEndpointOptions = {}): Promise<ServedRendezvous> {
  return serveRendezvous(bunRuntime(), options);
}

/**
 * Connects to a rendezvous, or a node that embeds one, to call its peers.
 * @throws ActrError `config`, `registration`, `unavailable`; then nothing is left running.
 */
export function connect<App extends WithActors = WithActors>(
  address: string,
  options: ConnectOptions = {},
): Promise<Peer<App>> {
  return connectPeer<App>(bunRuntime(), address, options);
}
