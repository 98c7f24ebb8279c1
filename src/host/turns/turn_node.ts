import type { ActorCaller } from "../../actor_client.ts";
import type { CallOptions, Destination, NodeContext } from "../../context.ts";
import type { NestedCallOptions } from "../../outbound/caller.ts";
import type { TargetFinder } from "../../outbound/target_finder.ts";
import { TracedContext } from "../../outbound/traced_context.ts";
import type { TraceContext } from "../../ports/tracer.ts";
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
export class TurnNode extends TracedContext {
  readonly #calls: TurnCalls;

  constructor(calls: TurnCalls) {
    super();
    this.#calls = calls;
  }

  protected override get node(): NodeContext {
    return this.#calls.node;
  }

  protected override get finder(): TargetFinder {
    return this.#calls.finder;
  }

  protected override get trace(): TraceContext | undefined {
    return this.#calls.trace;
  }

  protected override localActors(): ActorCaller {
    return this.#calls.local();
  }

  override async call(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array> {
    const chain = this.#calls.chain();
    requireDepth(chain);
    const nested: NestedCallOptions = { ...this.traced(options), chain };
    return await this.#calls.node.call(target, routeKey, payload, nested);
  }
}
