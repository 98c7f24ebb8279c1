import { type ActorCaller, type ActorsOf, actorsOf, type WithActors } from "../actor_client.ts";
import type {
  ActorCallOptions,
  CallOptions,
  Destination,
  DiscoverOptions,
  NodeContext,
  ServiceClient,
  TellOptions,
} from "../context.ts";
import type { SessionState } from "../identity/session_state.ts";
import type { HostGate } from "../inbound/host_gate.ts";
import type { Media } from "../media.ts";
import type { Caller } from "../outbound/caller.ts";
import { wayToActors } from "../outbound/remote_actors.ts";
import { senderTo, serviceClient } from "../outbound/service_client.ts";
import { TargetFinder } from "../outbound/target_finder.ts";
import type { Logger } from "../ports/logger.ts";
import type { ActrId, ActrType } from "../protocol/ids.ts";
import type { ServiceDescriptor } from "../protocol/service.ts";
import type { Streams } from "../stream.ts";
import type { PeerDirectory } from "./peer_directory.ts";

/** What a node's own context works with. */
export interface NodeContextComponents {
  readonly session: SessionState;
  readonly caller: Caller;
  readonly directory: PeerDirectory;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Made after the context, since what they hand chunks to works with one. */
  readonly streams: () => Streams;
  readonly media: () => Media;
  readonly host: () => HostGate;
  /** The way to the node's own actors. */
  readonly localActors: () => ActorCaller;
}

/** The context of a node itself: its hooks and its embedding program; every handler's context stands on it. */
export class LiveNodeContext implements NodeContext {
  readonly #components: NodeContextComponents;
  readonly #finder = new TargetFinder();

  constructor(components: NodeContextComponents) {
    this.#components = components;
  }

  get selfId(): ActrId {
    return this.#components.session.current.id;
  }

  get signal(): AbortSignal {
    return this.#components.signal;
  }

  get log(): Logger {
    return this.#components.log;
  }

  get streams(): Streams {
    return this.#components.streams();
  }

  get media(): Media {
    return this.#components.media();
  }

  call(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array> {
    const { caller, host } = this.#components;
    if (target === "host") return host().call(routeKey, payload, options);
    return caller.call(this.#peerOf(target), routeKey, payload, options);
  }

  tell(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: TellOptions,
  ): Promise<void> {
    const { caller, host } = this.#components;
    if (target === "host") return host().tell(routeKey, payload, options);
    return caller.tell(this.#peerOf(target), routeKey, payload, options);
  }

  discover(type: ActrType | string, options?: DiscoverOptions): Promise<ActrId[]> {
    return this.#components.directory.discover(type, options);
  }

  service<S extends ServiceDescriptor>(descriptor: S, target: Destination): ServiceClient<S> {
    return serviceClient(senderTo(this, target), descriptor);
  }

  actors<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App> {
    const { localActors: local } = this.#components;
    return actorsOf<App>(
      wayToActors({ finder: this.#finder, context: this, local }, target, options),
    );
  }

  #peerOf(target: ActrId | "workload"): ActrId {
    return target === "workload" ? this.selfId : target;
  }
}
