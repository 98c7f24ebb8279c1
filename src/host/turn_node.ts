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
import type { Media } from "../media.ts";
import type { NestedCallOptions } from "../outbound/caller.ts";
import { wayToActors } from "../outbound/remote_actors.ts";
import { senderTo, serviceClient } from "../outbound/service_client.ts";
import type { TargetFinder } from "../outbound/target_finder.ts";
import type { Logger } from "../ports/logger.ts";
import type { TraceContext } from "../ports/tracer.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { ServiceDescriptor } from "../protocol/service.ts";
import type { Streams } from "../stream.ts";
import { type CallChain, requireDepth } from "./chain.ts";

/** What a turn calls others with. */
export interface TurnCalls {
  readonly node: NodeContext;
  readonly finder: TargetFinder;
  /** The way to the node's own actors. */
  readonly local: () => ActorCaller;
  /** The turn, and what waits for it. */
  readonly chain: () => CallChain;
  /** Of the request that the turn handles. */
  readonly trace: TraceContext | undefined;
}

/** The node as one turn of an actor sees it: whom it calls is told who waits, so that they may call back. */
export class TurnNode implements NodeContext {
  readonly #calls: TurnCalls;

  constructor(calls: TurnCalls) {
    this.#calls = calls;
  }

  get selfId(): ActrId {
    return this.#calls.node.selfId;
  }

  get signal(): AbortSignal {
    return this.#calls.node.signal;
  }

  get log(): Logger {
    return this.#calls.node.log;
  }

  get streams(): Streams {
    return this.#calls.node.streams;
  }

  get media(): Media {
    return this.#calls.node.media;
  }

  async call(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array> {
    const chain = this.#calls.chain();
    requireDepth(chain);
    const nested: NestedCallOptions = { ...this.#traced(options), chain };
    return await this.#calls.node.call(target, routeKey, payload, nested);
  }

  tell(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: TellOptions,
  ): Promise<void> {
    return this.#calls.node.tell(target, routeKey, payload, this.#traced(options));
  }

  discover(...[type, options]: Parameters<NodeContext["discover"]>): Promise<ActrId[]> {
    return this.#calls.node.discover(type, this.#traced(options));
  }

  service<S extends ServiceDescriptor>(descriptor: S, target: Destination): ServiceClient<S> {
    return serviceClient(senderTo(this, target), descriptor);
  }

  actors<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App> {
    const { finder, local } = this.#calls;
    const parts = { finder, context: this, local };
    return actorsOf<App>(wayToActors(parts, target, options));
  }

  /** What a turn calls belongs to the trace of its request. */
  #traced<O extends CallOptions | DiscoverOptions>(options: O | undefined): O {
    const { trace } = this.#calls;
    return (trace === undefined ? { ...options } : { trace, ...options }) as O;
  }
}
