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

/** The way to the actors of a node, wherever that is. */
export interface ActorCaller {
  /** Runs an action. @throws ActrError what it threw; `actor.*`. */
  act(target: CallTarget, action: string, args: readonly unknown[]): Promise<unknown>;
  /** The id of an actor. @throws ActrError `actor.not_found`, `actor.not_registered`. */
  resolve(target: CallTarget): Promise<string>;
  /** Makes an actor. @throws ActrError `actor.duplicate_key`. */
  create(name: string, key: ActorKey, input: unknown): Promise<string>;
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
export interface CreateOptions<Input> {
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
  existing(key: string | ActorKey): ActorHandle<D>;
  /** The actor of an id. */
  withId(id: string): ActorHandle<D>;
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
    get: (key, { input } = {}) => handleOf(caller, { name, key: keyOf(key), create: { input } }),
    existing: (key) => handleOf(caller, { name, key: keyOf(key) }),
    withId: (id) => handleOf(caller, { id }),
    create: async (key, { input } = {}) =>
      handleOf(caller, { id: await caller.create(name, keyOf(key), input) }),
  };
}

function handleOf(caller: ActorCaller, target: CallTarget): ActorHandle<AnyActor> {
  const own: Record<string, unknown> = { resolve: () => caller.resolve(target) };
  return new Proxy(own, {
    get(known, name) {
      // A handle is no promise, whatever it is awaited in.
      if (typeof name !== "string" || name === "then") return undefined;
      known[name] ??= (...args: unknown[]) => caller.act(target, name, args);
      return known[name];
    },
  }) as ActorHandle<AnyActor>;
}

function keyOf(key: string | ActorKey): ActorKey {
  return typeof key === "string" ? [key] : key;
}
