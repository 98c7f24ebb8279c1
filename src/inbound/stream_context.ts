import type { ActorsOf, WithActors } from "../actor_client.ts";
import type {
  ActorCallOptions,
  CallOptions,
  Context,
  Destination,
  DiscoverOptions,
  RequestContext,
  ServiceClient,
  TellOptions,
} from "../context.ts";
import type { Media } from "../media.ts";
import type { Logger } from "../ports/logger.ts";
import type { ActrId, ActrType } from "../protocol/ids.ts";
import type { ServiceDescriptor } from "../protocol/service.ts";
import type { Streams } from "../stream.ts";

/** The context of a request for as long as the stream lives that it is answered with: all but its state, and a signal of its own. */
export class StreamContext implements RequestContext {
  readonly signal: AbortSignal;
  readonly #context: Context;

  constructor(context: Context, signal: AbortSignal) {
    this.#context = context;
    this.signal = signal;
  }

  get selfId(): ActrId {
    return this.#context.selfId;
  }

  get callerId(): ActrId {
    return this.#context.callerId;
  }

  get requestId(): string {
    return this.#context.requestId;
  }

  get log(): Logger {
    return this.#context.log;
  }

  get streams(): Streams {
    return this.#context.streams;
  }

  get media(): Media {
    return this.#context.media;
  }

  call(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array> {
    return this.#context.call(target, routeKey, payload, options);
  }

  tell(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: TellOptions,
  ): Promise<void> {
    return this.#context.tell(target, routeKey, payload, options);
  }

  discover(type: ActrType | string, options?: DiscoverOptions): Promise<ActrId[]> {
    return this.#context.discover(type, options);
  }

  service<S extends ServiceDescriptor>(descriptor: S, target: Destination): ServiceClient<S> {
    return this.#context.service(descriptor, target);
  }

  actors<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App> {
    return this.#context.actors<App>(target, options);
  }
}
