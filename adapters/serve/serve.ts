import type { NodeDefinition } from "../../src/define.ts";
import { httpApp } from "../../src/http/app.ts";
import { Node } from "../../src/node/node.ts";
import type { NodeComponents, NodeSettings } from "../../src/node/node_components.ts";
import type { HttpServer } from "../../src/ports/sockets.ts";
import { WebSocketTransport } from "../../transports/websocket/websocket_transport.ts";
import { bind, type Foundation, layFoundation, localUrl } from "./foundation.ts";
import type { Runtime, Served, ServeOptions } from "./options.ts";
import { openRendezvous } from "./rendezvous.ts";
import { defaultRealm, signalingBeside } from "./settings.ts";

/**
 * Serves a node: opens the store, binds the port, registers and lets requests in. Without an identity
 * service to register at, it serves a rendezvous of its own on the same port.
 * @throws ActrError `config`, `storage`, `registration`, `unavailable`; then nothing is left running.
 */
export async function serveNode(
  runtime: Runtime,
  app: NodeDefinition,
  options: ServeOptions = {},
): Promise<Served> {
  const foundation = await layFoundation(runtime, options);
  try {
    return await startOn(foundation, runtime, app, options);
  } catch (error) {
    await foundation.undo.unwind();
    throw error;
  }
}

async function startOn(
  foundation: Foundation,
  runtime: Runtime,
  app: NodeDefinition,
  options: ServeOptions,
): Promise<Served> {
  // The port has to be bound before the node registers its address, so requests may come first.
  let node: Node | undefined;
  let peers: WebSocketTransport | undefined;
  const rendezvous =
    options.identity === undefined
      ? await openRendezvous(foundation, options.rendezvous)
      : undefined;
  const fetch = httpApp({
    node: () => node,
    acceptPeer: () => peers?.accept.bind(peers),
    ...(rendezvous === undefined ? {} : { rendezvous: rendezvous.fetch.bind(rendezvous) }),
    ...(options.inspectToken === undefined ? {} : { inspectToken: options.inspectToken }),
    runtime: runtime.name,
  });
  const server = await bind(foundation, options, fetch);
  const settings = settingsOf(options, server);
  const { clock, log, sockets, signal } = foundation;
  const components: NodeComponents = {
    ...foundation,
    fetch: globalThis.fetch,
    transports: (identity) => {
      peers = new WebSocketTransport({ sockets, clock, log, ...identity });
      return [peers];
    },
  };
  node = await Node.start(app, components, settings, { signal });
  return served(node, foundation, localUrl(server), settings.aisUrl);
}

function served(node: Node, foundation: Foundation, url: string, identity: string): Served {
  const { undo, store, log } = foundation;
  let stopping: Promise<void> | undefined;
  let onStopped: () => void;
  const stopped = new Promise<void>((resolve) => {
    onStopped = resolve;
  });
  const stop = (): Promise<void> => {
    stopping ??= node
      .stop()
      .then(() => undo.unwind())
      .then(() => onStopped());
    return stopping;
  };
  void store.lost.then((reason) => {
    log.error("store.lost", { reason });
    return stop();
  });
  return {
    node,
    url,
    identity,
    context: node.context,
    stopped,
    stop,
    get id() {
      return node.id;
    },
    [Symbol.asyncDispose]: stop,
  };
}

function settingsOf(options: ServeOptions, server: HttpServer): NodeSettings {
  const { realm = defaultRealm, realmSecret, advertisedHost = "127.0.0.1" } = options;
  const identity = options.identity ?? `${localUrl(server)}/ais`;
  return {
    realm,
    ...(realmSecret === undefined ? {} : { realmSecret }),
    aisUrl: identity,
    signalingUrl: options.signaling ?? signalingBeside(identity),
    wsAddress: `ws://${advertisedHost}:${server.port}/ws`,
  };
}
