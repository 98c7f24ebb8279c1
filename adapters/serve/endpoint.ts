import { httpApp } from "../../src/http/app.ts";
import type { Node } from "../../src/node/node.ts";
import type { NodeComponents, NodeSettings } from "../../src/node/node_components.ts";
import type { HttpServer } from "../../src/ports/sockets.ts";
import { WebSocketTransport } from "../../transports/websocket/websocket_transport.ts";
import { RunningMeter } from "../system_meter.ts";
import { bind, type Foundation, localUrl, openActorStore } from "./foundation.ts";
import type { Runtime, ServeOptions } from "./options.ts";
import { openRendezvous } from "./rendezvous.ts";
import { defaultRealm, signalingBeside } from "./settings.ts";
import { webRtcTransports } from "./webrtc.ts";

/** A bound port and what a node on it is made of. */
export interface Endpoint {
  /** Base address of the port. */
  readonly url: string;
  readonly components: NodeComponents;
  readonly settings: NodeSettings;
  /** Lets the endpoint tell of the node, and hand it its peers. */
  show(node: Node): void;
}

/** Binds the port, for a rendezvous of our own as well where no identity service is named. @throws ActrError `config`, `storage`. */
export async function openEndpoint(
  foundation: Foundation,
  runtime: Runtime,
  options: ServeOptions,
): Promise<Endpoint> {
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
    ...(options.fetch === undefined ? {} : { application: options.fetch }),
    ...(options.inspectToken === undefined ? {} : { inspectToken: options.inspectToken }),
    ...(options.actorToken === undefined ? {} : { actorToken: options.actorToken }),
    runtime: runtime.name,
  });
  const actorStore = await openActorStore(foundation, options);
  const server = await bind(foundation, options, fetch);
  const { clock, random, log, sockets } = foundation;
  const { peerConnections } = runtime;
  const meter = new RunningMeter(clock);
  foundation.undo.push("meter", () => meter[Symbol.dispose]());
  const components: NodeComponents = {
    ...foundation,
    actorStore,
    meter,
    network: options.network,
    fetch: globalThis.fetch,
    transports: (identity, session) => {
      peers = new WebSocketTransport({ sockets, clock, log, ...identity });
      const webRtc = { clock, random, log, peerConnections };
      return [...webRtcTransports(webRtc, options, identity, session), peers];
    },
  };
  const show = (running: Node): void => {
    node = running;
  };
  return { url: localUrl(server), components, settings: settingsOf(options, server), show };
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
