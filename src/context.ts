import type { ActorsOf, WithActors } from "./actor_client.ts";
import type { Media } from "./media.ts";
import type { Logger } from "./ports/logger.ts";
import type { TraceContext } from "./ports/tracer.ts";
import type { Lane } from "./protocol/frame.ts";
import type { ActrId, ActrType } from "./protocol/ids.ts";
import type {
  RequestInitOf,
  ResponseOf,
  ServiceDescriptor,
  StreamMethod,
  UnaryMethod,
} from "./protocol/service.ts";
import type { Streams } from "./stream.ts";

/** How one call is sent. */
export interface CallOptions {
  /** Deadline over everything: dialling, retries and waiting. Milliseconds. @default 30000, for a tell 13000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Payload class: 0 RPC_RELIABLE or 1 RPC_SIGNAL. @default 0 */
  readonly payloadType?: Lane;
  /** Names the request: calls under one id have one effect. @default a new UUID */
  readonly requestId?: string;
  /** Trace that the call belongs to. @default inside a handler, that of the request */
  readonly trace?: TraceContext;
}

/** How one tell is sent. */
export interface TellOptions extends CallOptions {
  /** Resolves only when the peer, a Roost node, has the message on disk. @default false */
  readonly durable?: boolean;
}

/** How peers are looked for. */
export interface DiscoverOptions {
  /** At most so many. @default 1 */
  readonly count?: number;
  readonly signal?: AbortSignal;
  /** Trace that the search belongs to. @default inside a handler, that of the request */
  readonly trace?: TraceContext;
}

/** One method of a typed client: called for its answer, or told without one. */
export interface ClientMethod<Request, Response> {
  /** @throws ActrError as {@link NodeContext.call}; `decode_failure` for an answer of another type. */
  (request: Request, options?: CallOptions): Promise<Response>;
  /** @throws ActrError as {@link NodeContext.tell}. */
  tell(request: Request, options?: TellOptions): Promise<void>;
}

/** How the stream that a method answers with is asked for and read. */
export interface StreamCallOptions extends Omit<CallOptions, "payloadType" | "requestId"> {
  /** Deadline of the opening, not of the stream, milliseconds. @default 30000 */
  readonly timeoutMs?: number;
  /** How long the next message may take, milliseconds; Infinity for streams that may be silent. @default 300000 */
  readonly idleTimeoutMs?: number;
  /** How much may be on its way, or wait here, before the peer's handler waits: bytes, 64 more for each message. @default 262144 */
  readonly windowBytes?: number;
}

/**
 * One method of a typed client that is answered with a stream. Nothing is asked before the first message is; the
 * handler goes no further ahead than what is read here allows. Leaving the loop, or the signal, ends the handler.
 * It throws what the handler threw; `unavailable` when the connection is lost: what was asked is never asked again.
 */
export type ClientStreamMethod<Request, Response> = (
  request: Request,
  options?: StreamCallOptions,
) => AsyncIterableIterator<Response>;

/** A typed client of one service at one peer; the payload type is what the method's option says, unless a call says otherwise. */
export type ServiceClient<S extends ServiceDescriptor> = {
  readonly [Name in UnaryMethod<S>]: ClientMethod<RequestInitOf<S, Name>, ResponseOf<S, Name>>;
} & {
  readonly [Name in StreamMethod<S>]: ClientStreamMethod<
    RequestInitOf<S, Name>,
    ResponseOf<S, Name>
  >;
};

/**
 * Durable values of a node, as one handler sees them: reads see its own writes; all its writes,
 * its remembered answer and the acknowledgement of its message are one commit, or nothing is.
 */
export interface State {
  get(key: string): Promise<Uint8Array | undefined>;
  /** @throws RangeError for a key that is empty or longer than 512 UTF-16 units. */
  put(key: string, value: Uint8Array): void;
  delete(key: string): void;
}

/**
 * Whom a call or tell is for: a peer; `workload`, this node's own services, as if it were its own peer; or `host`, the
 * services that the embedding program offers to this node alone (`spec/node.md` §2.4).
 */
export type Destination = ActrId | "workload" | "host";

/** How actors of another node are called. */
export type ActorCallOptions = Pick<CallOptions, "timeoutMs" | "signal" | "trace">;

/** What a node offers to its own code, wherever that runs. Reads identity and connections live. */
export interface NodeContext {
  /** This node. */
  readonly selfId: ActrId;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Data streams from and to peers. */
  readonly streams: Streams;
  /** Media tracks from peers; only connections by WebRTC carry any. */
  readonly media: Media;
  /**
   * Calls a method by its route key with encoded bytes.
   * @throws ActrError what the peer answered; `timed_out`, `unavailable`, `overloaded`, `invalid_argument`; the signal's reason;
   * `not_implemented` for a host that serves nothing.
   */
  call(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array>;
  /** Sends without an answer. @throws as `call`. */
  tell(
    target: Destination,
    routeKey: string,
    payload: Uint8Array,
    options?: TellOptions,
  ): Promise<void>;
  /**
   * Peers of a type that are connected now.
   * @throws ActrError `not_found` when there is none, `unavailable` when signaling is down.
   */
  discover(type: ActrType | string, options?: DiscoverOptions): Promise<ActrId[]>;
  /** A typed client of a service at `target`. */
  service<S extends ServiceDescriptor>(descriptor: S, target: Destination): ServiceClient<S>;
  /**
   * Actors, typed by the app that they are part of: this node's own, or those at `target`, an id or a type. Those of
   * another node are called like its services; its access rules hold, and a call that is tried again takes effect once.
   * An actor that is called may call back whoever waits for it.
   *
   * @example
   * ```ts
   * const { counter } = context.actors<typeof app>("acme:Counter:1.0.0");
   * await counter.get("room-1").add(2);
   * ```
   */
  actors<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App>;
}

/**
 * What a handler is given beside the request when it answers with a stream. Its `signal` is aborted when the caller
 * leaves, when the connection is lost, and when the node stops.
 */
export interface RequestContext extends NodeContext {
  /** Who asks, as the transport verified it: this node itself when its host or one of its own handlers does. */
  readonly callerId: ActrId;
  /** The same for every repeat of one request. */
  readonly requestId: string;
}

/** What a handler is given beside the request. */
export interface Context extends RequestContext {
  readonly state: State;
}
