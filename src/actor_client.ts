import type { ActorKey, AnyActor, CompletionOf, MessageOf, QueueOutcome } from "./actor.ts";
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
}

/** One actor, as its callers see it: every action is a method. */
export type ActorHandle<D extends AnyActor> = {
  readonly [Name in keyof D["actions"]]: (
    ...args: ActionArguments<D["actions"][Name]>
  ) => Promise<ActionResult<D["actions"][Name]>>;
} & ActorMethods<D>;

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
  return new Proxy<Record<string, unknown>>(
    { ...methodsOf(caller, target, options) },
    {
      get(known, name) {
        // A handle is no promise, whatever it is awaited in.
        if (typeof name !== "string" || name === "then") return undefined;
        known[name] ??= (...args: unknown[]) => caller.act(target, name, args, options);
        return known[name];
      },
    },
  ) as ActorHandle<AnyActor>;
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
  };
}

function lacking(what: string): ActrError {
  return new ActrError("not_implemented", `this way to the actors carries no ${what}`);
}

function keyOf(key: string | ActorKey): ActorKey {
  return typeof key === "string" ? [key] : key;
}
