import type {
  ActorDefinition,
  ActorKey,
  AnyActor,
  CompletionOf,
  MessageOf,
  PayloadOf,
  QueueOutcome,
  RawSocket,
} from "./actor.ts";
import { ActrError } from "./errors.ts";

/** The name of a connection's peer actors: definitions by name, as `defineNode` has them. */
export interface WithActors {
  readonly actors?: Readonly<Record<string, AnyActor>>;
}

/** Which actor a call is for. */
export type CallTarget =
  | { readonly id: string }
  | {
      readonly name: string;
      readonly key: ActorKey;
      /** Makes it with this input when there is none. @default there must be one */
      readonly create?: { readonly input: unknown };
    };

/** What holds for every call of one handle. */
export interface HandleOptions {
  /** Ends the wait; what was asked for may be done all the same. */
  readonly signal?: AbortSignal;
}

/** How a message is put into a queue. */
export interface SendOptions extends HandleOptions {
  /** Until the message is completed, rather than until it is on disk. @default false */
  readonly wait?: boolean;
  /** How long the completion is waited for, milliseconds. @default the actor's actionTimeoutMs */
  readonly timeoutMs?: number;
}

/** A request for `onRequest`. */
export interface RequestOptions extends HandleOptions {
  readonly init?: RequestInit;
}

/** Whether events come and actions are sent at once, or wait for the next socket; `closed` for good. */
export type ConnectionStatus = "connecting" | "connected" | "closed";

/** A client's connection to one actor, as it is while its socket comes and goes. */
export interface ConnectionToActor {
  readonly status: ConnectionStatus;
  /** Resolves when it is closed for good: with the reason, unless this side or the actor did it in peace. */
  readonly ended: Promise<ActrError | undefined>;
  /** @throws ActrError what the action threw; `unavailable` when the socket is lost before the answer, `timed_out`. */
  act(action: string, args: readonly unknown[]): Promise<unknown>;
  on(event: string, listener: (payload: unknown) => void): () => void;
  onError(listener: (error: ActrError) => void): () => void;
  /** Idempotent. */
  close(): void;
}

/** Closes a connection when `signal` is aborted. */
export function closeWith(connection: ConnectionToActor, signal: AbortSignal): void {
  const close = (): void => connection.close();
  if (signal.aborted) return close();
  signal.addEventListener("abort", close);
  void connection.ended.then(() => signal.removeEventListener("abort", close));
}

/** The way to the actors of a node, wherever that is. Every wait has a deadline. What a way has no form for, it lacks. */
export interface ActorCaller {
  /** Runs an action. @throws ActrError what it threw; `actor.*`; the signal's reason. */
  act(
    target: CallTarget,
    action: string,
    args: readonly unknown[],
    options?: HandleOptions,
  ): Promise<unknown>;
  /** The id of an actor. @throws ActrError `actor.not_found`, `actor.not_registered`; the signal's reason. */
  resolve(target: CallTarget, options?: HandleOptions): Promise<string>;
  /** Makes an actor. @throws ActrError `actor.duplicate_key`; the signal's reason. */
  create(name: string, key: ActorKey, input: unknown, options?: HandleOptions): Promise<string>;
  /** Puts a message into a queue. @throws ActrError `queue.*`, `actor.*`; the signal's reason. */
  send?(
    target: CallTarget,
    queue: string,
    body: unknown,
    options?: SendOptions,
  ): Promise<QueueOutcome>;
  /** What `onRequest` answers; 404 where there is none. @throws ActrError as {@link ActorCaller.act}. */
  fetch?(target: CallTarget, path: string, options?: RequestOptions): Promise<Response>;
  /** Opens a raw WebSocket to an actor. @throws ActrError `unavailable`; the signal's reason. */
  webSocket?(target: CallTarget, path: string, options?: HandleOptions): Promise<RawSocket>;
  /** Connects to an actor, now and whenever the connection is lost. */
  connect?(target: CallTarget, params: unknown, options?: HandleOptions): ConnectionToActor;
}

type ActionArguments<F> = F extends (c: never, ...args: infer Args) => unknown ? Args : never;
type ActionResult<F> = F extends (...args: never[]) => infer Result ? Awaited<Result> : never;

type QueuesOf<D extends AnyActor> = NonNullable<D["queues"]>;
type QueueOf<D extends AnyActor> = keyof QueuesOf<D> & string;

/** What every actor understands beside its actions; an action of one of these names is not called by a handle. */
export interface ActorMethods<D extends AnyActor> {
  /** Its id. @throws ActrError `actor.not_found`. */
  resolve(): Promise<string>;
  /** Puts a message into one of its queues; resolves when it is on disk. @throws ActrError `queue.*`, `auth.forbidden`. */
  send<Name extends QueueOf<D>>(name: Name, body: MessageOf<QueuesOf<D>[Name]>): Promise<void>;
  /** As {@link ActorMethods.send}, and waits until the message is completed, or `timeoutMs` is over. */
  sendAndWait<Name extends QueueOf<D>>(
    name: Name,
    body: MessageOf<QueuesOf<D>[Name]>,
    options?: Pick<SendOptions, "timeoutMs">,
  ): Promise<QueueOutcome<CompletionOf<QueuesOf<D>[Name]>>>;
  /** Asks its `onRequest`, by path and query; 404 when it has none. @throws ActrError what `onRequest` threw. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /**
   * Opens a raw WebSocket to its `onWebSocket`, by a path below `/websocket` and a query. One that the actor does not
   * take ends at once, with the reason. @throws ActrError `unavailable`.
   */
  webSocket(path?: string): Promise<RawSocket>;
  /** Connects to it, for its events, with what the definition's `params` takes. Close it in the end. */
  connect(params?: ParamsOf<D>): ClientConnection<D>;
}

type EventsOf<D extends AnyActor> = NonNullable<D["events"]>;
type EventOf<D extends AnyActor> = keyof EventsOf<D> & string;
type ParamsOf<D extends AnyActor> =
  D extends ActorDefinition<infer Shape, infer _> ? Shape["params"] : unknown;

/**
 * A client's connection to one actor: every action is a method. A socket that is lost is followed by another, and
 * subscriptions hold; what was asked for and not answered fails then.
 */
export type ClientConnection<D extends AnyActor> = ActionsOf<D> & ConnectionMethods<D>;

/** What every connection understands beside the actions of its actor. */
export interface ConnectionMethods<D extends AnyActor>
  extends Pick<ConnectionToActor, "status" | "ended" | "close">,
    Disposable {
  /** Calls `listener` with what is broadcast under this name, and what is sent to this client; returns what ends that. */
  on<Name extends EventOf<D>>(
    name: Name,
    listener: (payload: PayloadOf<EventsOf<D>[Name]>) => void,
  ): () => void;
  /** Calls `listener` with what goes wrong beside actions: a subscription that is refused, a listener that throws, the end. */
  onError(listener: (error: ActrError) => void): () => void;
}

/** One actor, as its callers see it: every action is a method. */
export type ActorHandle<D extends AnyActor> = ActionsOf<D> & ActorMethods<D>;

type ActionsOf<D extends AnyActor> = {
  readonly [Name in keyof D["actions"]]: (
    ...args: ActionArguments<D["actions"][Name]>
  ) => Promise<ActionResult<D["actions"][Name]>>;
};

/** What makes a new actor. */
export interface CreateOptions<Input> extends HandleOptions {
  readonly input?: Input;
}

type InputOf<D> = D extends { readonly state?: infer State }
  ? Extract<State, (...args: never[]) => unknown> extends (
      input: infer Input,
      ...args: never[]
    ) => unknown
    ? Input
    : unknown
  : unknown;

/** The actors of one definition. A key is a text, or several. */
export interface ActorAccess<D extends AnyActor> {
  /** The actor of a key; the first action makes it when there is none. */
  get(key: string | ActorKey, options?: CreateOptions<InputOf<D>>): ActorHandle<D>;
  /** The actor of a key, which must exist when an action is called. */
  existing(key: string | ActorKey, options?: HandleOptions): ActorHandle<D>;
  /** The actor of an id. */
  withId(id: string, options?: HandleOptions): ActorHandle<D>;
  /** Makes the actor of a key. @throws ActrError `actor.duplicate_key`. */
  create(key: string | ActorKey, options?: CreateOptions<InputOf<D>>): Promise<ActorHandle<D>>;
}

/** The actors of an app, by the names of their definitions. */
export type ActorsOf<App extends WithActors> = {
  readonly [Name in keyof NonNullable<App["actors"]>]: ActorAccess<
    NonNullable<App["actors"]>[Name]
  >;
};

/** The actors that `caller` reaches, typed by their app: whatever name is asked for is one of a definition. */
export function actorsOf<App extends WithActors>(caller: ActorCaller): ActorsOf<App> {
  const accesses = new Map<string, ActorAccess<AnyActor>>();
  return new Proxy(Object.create(null), {
    get(_, name) {
      if (typeof name !== "string" || name === "then") return undefined;
      let access = accesses.get(name);
      if (access === undefined) {
        access = accessTo(caller, name);
        accesses.set(name, access);
      }
      return access;
    },
  }) as ActorsOf<App>;
}

function accessTo(caller: ActorCaller, name: string): ActorAccess<AnyActor> {
  return {
    get: (key, { input, ...options } = {}) =>
      handleOf(caller, { name, key: keyOf(key), create: { input } }, options),
    existing: (key, options = {}) => handleOf(caller, { name, key: keyOf(key) }, options),
    withId: (id, options = {}) => handleOf(caller, { id }, options),
    create: async (key, { input, ...options } = {}) => {
      const id = await caller.create(name, keyOf(key), input, options);
      return handleOf(caller, { id }, options);
    },
  };
}

function handleOf(
  caller: ActorCaller,
  target: CallTarget,
  options: HandleOptions,
): ActorHandle<AnyActor> {
  const methods = methodsOf(caller, target, options);
  return withActions(methods, (name, args) => caller.act(target, name, args, options));
}

/** `methods`, and an action under every other name. */
function withActions<Methods extends object>(
  methods: Methods,
  act: (name: string, args: readonly unknown[]) => Promise<unknown>,
): Methods & ActionsOf<AnyActor> {
  const actions = new Map<string, unknown>();
  return new Proxy(methods, {
    get(known, name) {
      if (Object.hasOwn(known, name)) return known[name as keyof Methods];
      // A handle is no promise, whatever it is awaited in.
      if (typeof name !== "string" || name === "then") return undefined;
      if (!actions.has(name)) actions.set(name, (...args: unknown[]) => act(name, args));
      return actions.get(name);
    },
  }) as Methods & ActionsOf<AnyActor>;
}

function methodsOf(
  caller: ActorCaller,
  target: CallTarget,
  options: HandleOptions,
): ActorMethods<AnyActor> {
  const send = async (name: string, body: unknown, how: SendOptions): Promise<QueueOutcome> => {
    if (caller.send === undefined) throw lacking("messages for queues");
    return await caller.send(target, name, body, { ...options, ...how });
  };
  return {
    resolve: () => caller.resolve(target, options),
    send: async (name, body) => void (await send(name, body, { wait: false })),
    sendAndWait: (name, body, { timeoutMs } = {}) =>
      send(name, body, { wait: true, ...(timeoutMs !== undefined && { timeoutMs }) }) as never,
    async fetch(path, init = {}) {
      if (caller.fetch === undefined) throw lacking("raw requests");
      return await caller.fetch(target, path, { ...options, init });
    },
    async webSocket(path = "") {
      if (caller.webSocket === undefined) throw lacking("raw WebSockets");
      return await caller.webSocket(target, path, options);
    },
    connect(params) {
      if (caller.connect === undefined) throw lacking("connections");
      const connection = caller.connect(target, params, options);
      return withActions(connectionMethods(connection), (name, args) => connection.act(name, args));
    },
  };
}

function connectionMethods(connection: ConnectionToActor): ConnectionMethods<AnyActor> {
  return {
    get status() {
      return connection.status;
    },
    ended: connection.ended,
    on: (event, listener) => connection.on(event, listener as (payload: unknown) => void),
    onError: (listener) => connection.onError(listener),
    close: () => connection.close(),
    [Symbol.dispose]: () => connection.close(),
  };
}

function lacking(what: string): ActrError {
  return new ActrError("not_implemented", `this way to the actors carries no ${what}`);
}

function keyOf(key: string | ActorKey): ActorKey {
  return typeof key === "string" ? [key] : key;
}
