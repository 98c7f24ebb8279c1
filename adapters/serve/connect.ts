import { type ActorsOf, actorsOf, type WithActors } from "../../src/actor_client.ts";
import type { NodeContext, ServiceClient } from "../../src/context.ts";
import { defineNode } from "../../src/define.ts";
import type { NetworkEvents } from "../../src/node/network_events.ts";
import { Node } from "../../src/node/node.ts";
import type { NodeComponents, NodeSettings } from "../../src/node/node_components.ts";
import { HttpActors } from "../../src/outbound/http_actors.ts";
import { serviceClient } from "../../src/outbound/service_client.ts";
import { TargetFinder } from "../../src/outbound/target_finder.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import type { ServiceDescriptor } from "../../src/protocol/service.ts";
import type { DiscoveredType, ServiceDescription } from "../../src/signaling/answers.ts";
import { WebSocketTransport } from "../../transports/websocket/websocket_transport.ts";
import { consoleLogger } from "../console/console_logger.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { systemClock } from "../system_clock.ts";
import { systemRandom } from "../system_random.ts";
import type { ConnectOptions, ListOptions, Peer, Runtime, Target } from "./options.ts";
import { defaultRealm, identityAt, signalingBeside } from "./settings.ts";
import { webRtcTransports } from "./webrtc.ts";

/**
 * Becomes a peer that only calls: it registers, listens nowhere, serves nothing and keeps nothing on disk.
 * `address` is that of a rendezvous, or of a node that embeds one: `http://host:8080`.
 * @throws ActrError `config`, `registration`, `unavailable`; then nothing is left running.
 */
export async function connectPeer<App extends WithActors = WithActors>(
  runtime: Runtime,
  address: string,
  options: ConnectOptions = {},
): Promise<Peer<App>> {
  const { type, log = consoleLogger({ level: "error" }), tracer, signal } = options;
  const clock = systemClock();
  const random = systemRandom();
  const { sockets, peerConnections } = runtime;
  const components: NodeComponents = {
    clock,
    log,
    tracer,
    sockets,
    random,
    store: new MemoryStore(),
    fetch: globalThis.fetch,
    transports: (identity, session) => [
      ...webRtcTransports({ clock, random, log, peerConnections }, options, identity, session),
      new WebSocketTransport({ sockets, clock, log, ...identity }),
    ],
  };
  const definition = defineNode(type === undefined ? {} : { type });
  const bounds = signal === undefined ? {} : { signal };
  const node = await Node.start(definition, components, settingsOf(address, options), bounds);
  const { actorsAt, actorToken: token } = options;
  if (actorsAt !== undefined) return new CallingPeer<App>(node, node.context.actors<App>(actorsAt));
  const { fetch } = components;
  const http = new HttpActors({ address, fetch, sockets, clock, random, token });
  return new CallingPeer<App>(node, actorsOf<App>(http), http);
}

function settingsOf(address: string, options: ConnectOptions): NodeSettings {
  const { realm = defaultRealm, realmSecret } = options;
  const aisUrl = identityAt(address);
  return {
    realm,
    ...(realmSecret === undefined ? {} : { realmSecret }),
    aisUrl,
    signalingUrl: options.signaling ?? signalingBeside(aisUrl),
  };
}

class CallingPeer<App extends WithActors> implements Peer<App> {
  readonly context: NodeContext;
  readonly actors: ActorsOf<App>;
  readonly #node: Node;
  readonly #http: HttpActors | undefined;
  readonly #finder: TargetFinder;

  /** @param http what calls the actors of the node at the address, unless they are those of a peer. */
  constructor(node: Node, actors: ActorsOf<App>, http?: HttpActors) {
    this.#node = node;
    this.#http = http;
    this.actors = actors;
    this.context = node.context;
    this.#finder = new TargetFinder();
  }

  get id(): ActrId {
    return this.#node.id;
  }

  get network(): NetworkEvents {
    return this.#node.network;
  }

  find(target: Target, options: { readonly signal?: AbortSignal } = {}): Promise<ActrId> {
    return this.#finder.find(this.#node.context, target, options);
  }

  types({ manufacturer, limit = 64, signal }: ListOptions = {}): Promise<DiscoveredType[]> {
    const { presence, context } = this.#node;
    return presence.signaling.discover(manufacturer, limit, { signal: signal ?? context.signal });
  }

  description(
    name: string,
    { signal = this.context.signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ServiceDescription> {
    return this.#node.presence.signaling.getServiceSpec(name, { signal });
  }

  service<S extends ServiceDescriptor>(descriptor: S, target: Target): ServiceClient<S> {
    return serviceClient(this.#finder.sender(this.#node.context, target), descriptor);
  }

  close(): Promise<void> {
    this.#http?.close();
    return this.#node.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
