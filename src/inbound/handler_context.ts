import type { ActorCaller } from "../actor_client.ts";
import type { CallOptions, Context, Destination, NodeContext, State } from "../context.ts";
import type { NestedCallOptions } from "../outbound/caller.ts";
import type { TargetFinder } from "../outbound/target_finder.ts";
import { TracedContext } from "../outbound/traced_context.ts";
import type { Logger } from "../ports/logger.ts";
import type { Store, StoreChange } from "../ports/store.ts";
import type { TraceContext } from "../ports/tracer.ts";
import { callChain } from "../protocol/call_chain.ts";
import type { ActrId } from "../protocol/ids.ts";
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
export class HandlerContext extends TracedContext implements Context {
  readonly #scope: NodeScope;
  readonly #message: InboundMessage;
  readonly #trace: TraceContext;
  #state: HandlerState | undefined;
  #log: Logger | undefined;
  #calls: HandlerCalls | undefined;
  #left = false;

  /** @param trace what calls made by the handler belong to. */
  constructor(scope: NodeScope, message: InboundMessage, trace: TraceContext) {
    super();
    this.#scope = scope;
    this.#message = message;
    this.#trace = trace;
  }

  protected override get node(): NodeContext {
    return this.#scope.node;
  }

  protected override get finder(): TargetFinder {
    return this.#scope.finder;
  }

  protected override get trace(): TraceContext {
    return this.#trace;
  }

  get callerId(): ActrId {
    return this.#message.from.id;
  }

  get requestId(): string {
    return this.#message.envelope.requestId;
  }

  override get log(): Logger {
    const { requestId, routeKey } = this.#message.envelope;
    this.#log ??= this.#scope.node.log.with({ request_id: requestId, route_key: routeKey });
    return this.#log;
  }

  get state(): State {
    this.#state ??= new HandlerState(this.#scope.store);
    return this.#state;
  }

  override call(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array> {
    // What outlives its handler holds no key that others could wait for.
    if (this.#left) {
      return this.#scope.node.call(target, routeKey, payload, this.traced(options));
    }
    const calls = this.#openCalls();
    const waitedFor = typeof target === "string" ? this.selfId : target;
    return calls.during({ target: waitedFor, routeKey }, (chain) => {
      const nested: NestedCallOptions = { ...this.traced(options), chain };
      return this.#scope.node.call(target, routeKey, payload, nested);
    });
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
  protected override localActors(): ActorCaller {
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
}
