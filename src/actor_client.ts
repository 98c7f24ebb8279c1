import type { ActorKey, AnyActor } from "./actor.ts";

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

/** The way to the actors of a node, wherever that is. Every wait has a deadline. */
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
}

type ActionArguments<F> = F extends (c: never, ...args: infer Args) => unknown ? Args : never;
type ActionResult<F> = F extends (...args: never[]) => infer Result ? Awaited<Result> : never;

/** One actor, as its callers see it: every action is a method. */
export type ActorHandle<D extends AnyActor> = {
  readonly [Name in keyof D["actions"]]: (
    ...args: ActionArguments<D["actions"][Name]>
  ) => Promise<ActionResult<D["actions"][Name]>>;
} & {
  /** Its id. @throws ActrError `actor.not_found`. */
  resolve(): Promise<string>;
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
  const own: Record<string, unknown> = { resolve: () => caller.resolve(target, options) };
  return new Proxy(own, {
    get(known, name) {
      // A handle is no promise, whatever it is awaited in.
      if (typeof name !== "string" || name === "then") return undefined;
      known[name] ??= (...args: unknown[]) => caller.act(target, name, args, options);
      return known[name];
    },
  }) as ActorHandle<AnyActor>;
}

function keyOf(key: string | ActorKey): ActorKey {
  return typeof key === "string" ? [key] : key;
}
