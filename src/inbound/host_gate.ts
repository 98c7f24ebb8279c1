import { abortable } from "#async";
import { ActrError } from "../errors.ts";
import type { OutboundOptions } from "../options.ts";
import { type NestedCallOptions, refuseCall } from "../outbound/caller.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { Span, Tracer } from "../ports/tracer.ts";
import { chainMetadata } from "../protocol/call_chain.ts";
import { type Direction, directions } from "../protocol/envelope.ts";
import { lanes } from "../protocol/frame.ts";
import { letGo } from "../protocol/frame_buffers.ts";
import { noMetadata } from "../protocol/metadata.ts";
import type { Reply } from "../reply.ts";
import { Peer } from "../session/peer.ts";
import { withinLimit } from "../time_limit.ts";
import { withResolvers } from "../with_resolvers.ts";
import type { HandlerFailure } from "./dispatcher.ts";
import { HandlerContext, type NodeScope } from "./handler_context.ts";
import type { InboundMessage } from "./message.ts";
import type { Request, Route, RouteTable } from "./route.ts";

/** Collaborators of {@link HostGate}. */
export interface HostGateComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tracer: Tracer | undefined;
  readonly scope: NodeScope;
  readonly onFailure: (failure: HandlerFailure) => void;
}

const empty = new Uint8Array(0);

/** One request to the host, and what it is handled with. */
interface HostTurn {
  readonly route: Route;
  readonly message: InboundMessage;
  readonly span: Span | undefined;
}

/**
 * What a node asks its embedding program, the destination `host`: at once, past the mailbox and whatever else the node
 * is handling (`spec/node.md` §2.4, D-22).
 */
export class HostGate {
  readonly #components: HostGateComponents;
  readonly #routes: RouteTable;
  readonly #options: OutboundOptions;
  /** Requests that the host is handling. */
  #running = 0;

  constructor(components: HostGateComponents, routes: RouteTable, options: OutboundOptions) {
    this.#components = components;
    this.#routes = routes;
    this.#options = options;
  }

  /** @throws ActrError what the host answers; `not_implemented`, `unknown_route`, `overloaded`, `timed_out`, `invalid_argument`; the signal's reason, the node's when it stops. */
  async call(
    routeKey: string,
    payload: Uint8Array,
    options: NestedCallOptions = {},
  ): Promise<Uint8Array> {
    const ms = options.timeoutMs ?? this.#options.timeoutMs;
    const { clock, scope } = this.#components;
    const stopped = scope.node.signal;
    const signal =
      options.signal === undefined ? stopped : AbortSignal.any([options.signal, stopped]);
    signal.throwIfAborted();
    const turn = this.#turn(routeKey, payload, directions.request, { ...options, timeoutMs: ms });
    const limit = { what: `host call ${routeKey}`, ms, signal };
    return await withinLimit(clock, limit, (ended) => this.#run(turn, ended));
  }

  /** Resolves when the host has begun with it; what goes wrong is told to the log and to `onError`. @throws ActrError `not_implemented`, `unknown_route`, `overloaded`, `invalid_argument`. */
  async tell(
    routeKey: string,
    payload: Uint8Array,
    options: NestedCallOptions = {},
  ): Promise<void> {
    const timeoutMs = options.timeoutMs ?? this.#options.tellTimeoutMs;
    const turn = this.#turn(routeKey, payload, directions.tell, { ...options, timeoutMs });
    this.#run(turn).catch((error: unknown) => {
      this.#components.log.warn("host.tell_failed", { route_key: routeKey, error });
    });
  }

  #turn(
    routeKey: string,
    payload: Uint8Array,
    direction: Direction,
    options: NestedCallOptions & { readonly timeoutMs: number },
  ): HostTurn {
    const misuse = refuseCall(options.payloadType ?? lanes.rpcReliable, options.timeoutMs);
    if (misuse !== undefined) throw misuse;
    const route = this.#route(routeKey);
    this.#requireRoom();
    const { clock, random, tracer, scope } = this.#components;
    const called = direction === directions.request;
    const name = called ? "HostTransport.send_request" : "HostTransport.send_message";
    const span = tracer?.start(name, options.trace ?? {}, { route_key: routeKey });
    const trace = span?.context ?? options.trace;
    const envelope = {
      routeKey,
      payload,
      direction,
      traceparent: trace?.traceparent,
      tracestate: trace?.tracestate,
      requestId: options.requestId ?? random.uuid(),
      metadata: options.chain === undefined ? noMetadata : chainMetadata(options.chain),
      timeoutMs: called ? options.timeoutMs : 0,
    };
    const message: InboundMessage = {
      envelope,
      from: new Peer(scope.node.selfId),
      link: undefined,
      priority: 0,
      size: payload.length,
      arrivedAt: clock.monotonic(),
      row: undefined,
      answered: false,
    };
    return { route, message, span };
  }

  #requireRoom(): void {
    if (this.#running < this.#options.maxPending) return;
    const reason = `the host is handling ${this.#running} requests; ask fewer at once or raise outbound.maxPending`;
    throw new ActrError("overloaded", reason, { retryAfterMs: 100 });
  }

  #route(routeKey: string): Route {
    const route = this.#routes.get(routeKey);
    if (route !== undefined) return route;
    if (this.#routes.size > 0) {
      throw new ActrError("unknown_route", `${routeKey} is not served by the host`);
    }
    const reason = "this node's host serves nothing; give it services by defineNode({ host })";
    throw new ActrError("not_implemented", reason);
  }

  /**
   * Handles it; its durable changes are on disk before anybody hears of the answer, and dropped when nobody is to hear
   * of it any more.
   * @param ended tells of the end of the wait; a tell has none, and nobody waits for its reply.
   */
  async #run(turn: HostTurn, ended?: AbortSignal): Promise<Uint8Array> {
    const { scope } = this.#components;
    const { envelope } = turn.message;
    const context = new HandlerContext(scope, turn.message, turn.span?.context ?? envelope);
    this.#running += 1;
    try {
      const report = (thrown: unknown): void => void this.#failure(thrown, turn.message);
      const handle = (): Promise<Uint8Array> => answerOf(turn, context, report, ended);
      const answer = await (turn.span === undefined ? handle() : turn.span.run(handle));
      // Routes encode for a frame; this answer becomes none, and its bytes are the caller's.
      letGo(answer);
      ended?.throwIfAborted();
      const changes = context.close();
      if (changes.length > 0) await scope.store.commit(changes);
      turn.span?.end();
      return answer;
    } catch (thrown) {
      context.close();
      turn.span?.end(thrown);
      throw this.#failure(thrown, turn.message);
    } finally {
      this.#running -= 1;
      context.leave();
    }
  }

  #failure(thrown: unknown, message: InboundMessage): ActrError {
    const { routeKey } = message.envelope;
    const crashed = !ActrError.is(thrown);
    const error = crashed
      ? new ActrError("internal", `the host's handler of ${routeKey} crashed`, { cause: thrown })
      : thrown;
    this.#components.onFailure({ kind: crashed ? "crash" : "error", error, message });
    return error;
  }
}

/** What the handler returns, or replies later. */
async function answerOf(
  { route, message }: HostTurn,
  context: HandlerContext,
  report: Request["report"],
  ended: AbortSignal | undefined,
): Promise<Uint8Array> {
  // Never rejects: nobody may wait for it, as when the handler fails beside its reply.
  const { promise, resolve } = withResolvers<() => Uint8Array>();
  let closed = false;
  const settle = (answer: () => Uint8Array): boolean => {
    if (closed) return false;
    closed = true;
    resolve(answer);
    return true;
  };
  const reply: Reply<Uint8Array> = {
    get closed() {
      return closed;
    },
    send: (payload) => settle(() => payload),
    fail: (error) =>
      settle(() => {
        throw error;
      }),
  };
  const payload = message.envelope.payload ?? empty;
  const answer = await route.handle(payload, context, reply, { message, report });
  if (answer !== undefined) return answer;
  return ended === undefined ? empty : (await abortable(promise, ended))();
}
