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
import type { Logger } from "../ports/logger.ts";
import type { TraceContext } from "../ports/tracer.ts";
import type { ActrId, ActrType } from "../protocol/ids.ts";
import type { ServiceDescriptor } from "../protocol/service.ts";
import type { Streams } from "../stream.ts";
import { wayToActors } from "./remote_actors.ts";
import { senderTo, serviceClient } from "./service_client.ts";
import type { TargetFinder } from "./target_finder.ts";

/** The node as one who handles a request sees it: what that calls belongs to the trace of the request. */
export abstract class TracedContext implements NodeContext {
  protected abstract get node(): NodeContext;
  /** Finds nodes whose actors are called. */
  protected abstract get finder(): TargetFinder;
  /** Of the request. */
  protected abstract get trace(): TraceContext | undefined;

  /** The way to the node's own actors. */
  protected abstract localActors(): ActorCaller;

  /** As {@link NodeContext.call}; whom it calls is told who waits. */
  abstract call(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array>;

  get selfId(): ActrId {
    return this.node.selfId;
  }

  get signal(): AbortSignal {
    return this.node.signal;
  }

  get log(): Logger {
    return this.node.log;
  }

  get streams(): Streams {
    return this.node.streams;
  }

  get media(): Media {
    return this.node.media;
  }

  tell(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: TellOptions,
  ): Promise<void> {
    return this.node.tell(target, routeKey, payload, this.traced(options));
  }

  discover(type: ActrType | string, options?: DiscoverOptions): Promise<ActrId[]> {
    return this.node.discover(type, this.traced(options));
  }

  service<S extends ServiceDescriptor>(descriptor: S, target: Destination): ServiceClient<S> {
    return serviceClient(senderTo(this, target), descriptor);
  }

  actors<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App> {
    const parts = { finder: this.finder, context: this, local: () => this.localActors() };
    return actorsOf<App>(wayToActors(parts, target, options));
  }

  protected traced<O extends CallOptions | DiscoverOptions>(options: O | undefined): O {
    const { trace } = this;
    return (trace === undefined ? { ...options } : { trace, ...options }) as O;
  }
}
