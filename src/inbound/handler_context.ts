import { type ActorCaller, type ActorsOf, actorsOf, type WithActors } from "../actor_client.ts";
import type {
  ActorCallOptions,
  CallOptions,
  Context,
  Destination,
  DiscoverOptions,
  NodeContext,
  ServiceClient,
  State,
  TellOptions,
} from "../context.ts";
import type { Media } from "../media.ts";
import type { NestedCallOptions } from "../outbound/caller.ts";
import { wayToActors } from "../outbound/remote_actors.ts";
import { senderTo, serviceClient } from "../outbound/service_client.ts";
import type { TargetFinder } from "../outbound/target_finder.ts";
import type { Logger } from "../ports/logger.ts";
import type { Store, StoreChange } from "../ports/store.ts";
import type { TraceContext } from "../ports/tracer.ts";
import { callChain } from "../protocol/call_chain.ts";
import type { ActrId, ActrType } from "../protocol/ids.ts";
import type { ServiceDescriptor } from "../protocol/service.ts";
import type { Streams } from "../stream.ts";
import type { HandlerCalls, Nesting } from "./handler_calls.ts";
import type { InboundMessage } from "./message.ts";
import { HandlerState } from "./state.ts";

/** What every context of a node is made of; read live, so that a context kept for long stays right. */
export interface NodeScope {
  readonly node: NodeContext;
  readonly store: Store;
  readonly nesting: Nesting;
  /** Finds nodes whose actors are called. */
  readonly finder: TargetFinder;
  /** The way to the node's own actors, for those who wait for them. */
  readonly localActors: (waiting: {
    readonly chain?: readonly string[];
    readonly trace: TraceContext;
  }) => Required<ActorCaller>;
}

const noChanges: readonly StoreChange[] = [];

/** The context of one handled message; what costs something is made on first use. */
export class HandlerContext implements Context {
  readonly #scope: NodeScope;
  readonly #message: InboundMessage;
  readonly #trace: TraceContext;
  #state: HandlerState | undefined;
  #log: Logger | undefined;
  #calls: HandlerCalls | undefined;
  #left = false;

  /** @param trace what calls made by the handler belong to. */
  constructor(scope: NodeScope, message: InboundMessage, trace: TraceContext) {
    this.#scope = scope;
    this.#message = message;
    this.#trace = trace;
  }

  get selfId(): ActrId {
    return this.#scope.node.selfId;
  }

  get callerId(): ActrId {
    return this.#message.from.id;
  }

  get requestId(): string {
    return this.#message.envelope.requestId;
  }

  get signal(): AbortSignal {
    return this.#scope.node.signal;
  }

  get log(): Logger {
    const { requestId, routeKey } = this.#message.envelope;
    this.#log ??= this.#scope.node.log.with({ request_id: requestId, route_key: routeKey });
    return this.#log;
  }

  get streams(): Streams {
    return this.#scope.node.streams;
  }

  get media(): Media {
    return this.#scope.node.media;
  }

  get state(): State {
    this.#state ??= new HandlerState(this.#scope.store);
    return this.#state;
  }

  call(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array> {
    // What outlives its handler holds no key that others could wait for.
    if (this.#left) {
      return this.#scope.node.call(target, routeKey, payload, this.#traced(options));
    }
    const calls = this.#openCalls();
    const waitedFor = typeof target === "string" ? this.selfId : target;
    return calls.during({ target: waitedFor, routeKey }, (chain) => {
      const nested: NestedCallOptions = { ...this.#traced(options), chain };
      return this.#scope.node.call(target, routeKey, payload, nested);
    });
  }

  tell(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: TellOptions,
  ): Promise<void> {
    return this.#scope.node.tell(target, routeKey, payload, this.#traced(options));
  }

  discover(type: ActrType | string, options?: DiscoverOptions): Promise<ActrId[]> {
    return this.#scope.node.discover(type, this.#traced(options));
  }

  service<S extends ServiceDescriptor>(descriptor: S, target: Destination): ServiceClient<S> {
    return serviceClient(senderTo(this, target), descriptor);
  }

  actors<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App> {
    const { finder } = this.#scope;
    const parts = { finder, context: this, local: () => this.#localActors() };
    return actorsOf<App>(wayToActors(parts, target, options));
  }

  /** Ends the handler's writing; what it changed is to be committed with its answer. */
  close(): readonly StoreChange[] {
    return this.#state?.close() ?? noChanges;
  }

  /** Whether the handler waits for `peer`, and is to go on waiting rather than its handler `other`. */
  crosses(peer: string, other: string): boolean {
    return this.#calls?.awaits(peer) === true && this.#calls.name < other;
  }

  /** Whether the handler is one of `chain`. */
  isIn(chain: readonly string[]): boolean {
    return this.#calls !== undefined && chain.includes(this.#calls.name);
  }

  /** The handler has ended, and with it its key and its place. */
  leave(): void {
    this.#left = true;
    this.#calls?.leave();
  }

  /** Each call has the handler lend its place while it waits. */
  #localActors(): ActorCaller {
    const { localActors } = this.#scope;
    const trace = this.#trace;
    if (this.#left) return localActors({ trace });
    const calls = this.#openCalls();
    const during = <T>(call: (actors: Required<ActorCaller>) => Promise<T>): Promise<T> =>
      calls.within(this.selfId, (chain) => call(localActors({ chain, trace })));
    const unwaited = localActors({ trace });
    return {
      webSocket: (...request) => unwaited.webSocket(...request),
      connect: (...request) => unwaited.connect(...request),
      act: (...request) => during((actors) => actors.act(...request)),
      resolve: (...request) => during((actors) => actors.resolve(...request)),
      create: (...request) => during((actors) => actors.create(...request)),
      send: (...request) => during((actors) => actors.send(...request)),
      fetch: (...request) => during((actors) => actors.fetch(...request)),
    };
  }

  #openCalls(): HandlerCalls {
    this.#calls ??= this.#scope.nesting.open(callChain(this.#message.envelope.metadata));
    return this.#calls;
  }

  /** A call made while handling belongs to the trace of the request. */
  #traced<O extends CallOptions | DiscoverOptions>(options: O | undefined): O {
    return { trace: this.#trace, ...options } as O;
  }
}
