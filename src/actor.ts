import type { ActionContext, ActorContext } from "./actor/context.ts";
import type {
  ActorKey,
  ActorShape,
  Connection,
  Events,
  Queues,
  Schema,
  ShapeOf,
} from "./actor/shape.ts";
import type { SqlDefinition } from "./actor/stores.ts";
import type { ActrError } from "./errors.ts";
import type { ActorOptionsInput } from "./host_options.ts";
import type { Logger } from "./ports/logger.ts";
import type { WorkflowDefinition } from "./workflow.ts";

export * from "./actor/context.ts";
export * from "./actor/queues.ts";
export * from "./actor/schedules.ts";
export * from "./actor/shape.ts";
export * from "./actor/stores.ts";

/** Which turns of an actor may go on at once: `exclusive` alone, `read` with other reads, `interleaved` with everything. */
export type TurnKind = "exclusive" | "read" | "interleaved";

/** How one action runs. */
export interface ActionOptions {
  /** @default "exclusive" */
  readonly turn?: TurnKind;
  /** Its deadline, milliseconds. @default the actor's actionTimeoutMs */
  readonly timeoutMs?: number;
}

/** One action. */
// biome-ignore lint/suspicious/noExplicitAny: arguments and results are inferred from each action; this is their bound.
export type Action<Shape extends ActorShape> = (c: ActionContext<Shape>, ...args: any[]) => any;

/** Actions by name. */
export type Actions<Shape extends ActorShape> = Readonly<Record<string, Action<Shape>>>;

/** Where an error of an actor came from. */
export type ErrorSource = "action" | "schedule" | "run" | "hook" | "task" | "save" | "start";

/** The handler that goes on by itself; a method, so that actors of all shapes stand side by side. */
interface RunHandler<Shape extends ActorShape> {
  run(c: ActorContext<Shape>): void | Promise<void>;
}

/** Hooks of an actor; those without other note have 5 seconds. */
export interface ActorHooks<Shape extends ActorShape> {
  /** A stored state of another version; returns what it becomes. 30 seconds. */
  onMigrate?(
    c: ActorContext<Shape>,
    stored: { readonly state: unknown; readonly version: number },
  ): Shape["state"] | Promise<Shape["state"]>;
  /** Once in its life. */
  onCreate?(c: ActorContext<Shape>, input: Shape["input"]): void | Promise<void>;
  /** At every start. 30 seconds. */
  onWake?(c: ActorContext<Shape>): void | Promise<void>;
  /** Before it sleeps; what it changes is saved. */
  onSleep?(c: ActorContext<Shape>): void | Promise<void>;
  /** Before all of it is deleted. */
  onDestroy?(c: ActorContext<Shape>): void | Promise<void>;
  /** Goes on in the background while the actor is awake, until `c.signal`, and is begun again when it fails; or a workflow. */
  readonly run?: RunHandler<Shape>["run"] | WorkflowDefinition<Shape>;
  /** After a change, once a turn of the event loop; may change nothing. */
  onStateChange?(c: ActorContext<Shape>, state: Shape["state"]): void | Promise<void>;
  /** May refuse a client by throwing. */
  onBeforeConnect?(c: ActorContext<Shape>, params: Shape["params"]): void | Promise<void>;
  onConnect?(c: ActorContext<Shape>, conn: Connection<Shape>): void | Promise<void>;
  onDisconnect?(c: ActorContext<Shape>, conn: Connection<Shape>): void | Promise<void>;
  /** What a client gets in place of an action's output. */
  onBeforeActionResponse?(
    c: ActionContext<Shape>,
    action: string,
    args: readonly unknown[],
    output: unknown,
  ): unknown;
  /** Raw HTTP below `/request`. Has the deadline of an action. */
  onRequest?(c: ActionContext<Shape>, request: Request): Response | Promise<Response>;
  /**
   * A raw WebSocket at `/websocket`, or below. Has the deadline of an action; so has each message, in turns of their own.
   * Until the socket ends, its client is connected, and the actor awake.
   */
  onWebSocket?(c: ActionContext<Shape>, socket: RawSocket, request: Request): void | Promise<void>;
  /** Everything that went wrong in this actor. */
  onError?(c: ActorContext<Shape>, error: ActrError, source: ErrorSource): void;
}

/** A raw WebSocket between an actor and a client: either side has one. */
export interface RawSocket {
  /** Bytes that are sent and not yet taken by the system. */
  readonly bufferedAmount: number;
  /** Says who hears of what comes; an actor says so before its `onWebSocket` ends, a client at any time. */
  handle(handler: RawSocketHandler): void;
  /**
   * Sends one message, text or bytes; nothing once the socket has ended. What an actor sends leaves when all that it
   * knows is on disk. @throws ActrError `message.outgoing_too_long`.
   */
  send(data: string | Uint8Array): void;
  /** Ends it, after all that was sent. @param code 1000, or 3000 to 4999. @default code 1000 */
  close(code?: number, reason?: string): void;
}

/** Who hears of what comes on a raw WebSocket. */
export interface RawSocketHandler {
  message(data: string | Uint8Array): void | Promise<void>;
  /** Once, last; 1006 for a connection that was lost. */
  closed?(end: { readonly code: number; readonly reason: string }): void | Promise<void>;
}

/** A value, or what makes it for each actor. */
export type Initial<T, Args extends readonly unknown[]> = T | ((...args: Args) => T | Promise<T>);

/** What an actor is made of. */
export interface ActorInit<Shape extends ActorShape, A extends Actions<Shape>>
  extends ActorHooks<Shape> {
  /** What a new actor begins with: a value, copied for each, or what makes it of the input. @default undefined */
  readonly state?: Initial<Shape["state"], [input: Shape["input"], c: CreateContext]>;
  /** Raise it with each change of what `state` looks like, and give `onMigrate`. @default 1 */
  readonly stateVersion?: number;
  readonly vars?: Initial<Shape["vars"], [c: CreateContext]>;
  readonly connState?: Initial<
    Shape["connState"],
    [params: Shape["params"], c: ActorContext<Shape>]
  >;
  /** Checks what a new actor is created with. */
  readonly input?: Schema<Shape["input"]>;
  /** Checks what clients connect with. */
  readonly params?: Schema<Shape["params"]>;
  readonly events?: Shape["events"];
  readonly queues?: Shape["queues"];
  /** Gives each actor a database of its own, `c.sql`. */
  readonly sql?: SqlDefinition;
  readonly actions: A;
  readonly actionOptions?: { readonly [Name in keyof A]?: ActionOptions };
  readonly options?: ActorOptionsInput;
}

/** What the makers of initial values are given. */
export interface CreateContext {
  readonly actorId: string;
  readonly name: string;
  readonly key: ActorKey;
  readonly log: Logger;
}

/** An actor as data: nothing runs until a node hosts it. */
export interface ActorDefinition<
  Shape extends ActorShape = ActorShape,
  A extends Actions<Shape> = Actions<Shape>,
> extends ActorInit<Shape, A> {
  readonly kind: "actor";
}

/** Any actor definition. */
// biome-ignore lint/suspicious/noExplicitAny: actors of different shapes stand side by side; each was checked against its own.
export type AnyActor = ActorDefinition<any, any>;

/**
 * Defines a keyed, durable actor by its state and actions.
 *
 * @example
 * ```ts
 * const counter = actor({
 *   state: () => ({ count: 0 }),
 *   events: { changed: event<{ count: number }>() },
 *   actions: {
 *     add(c, by: number) {
 *       c.state.count += by;
 *       c.broadcast("changed", { count: c.state.count });
 *       return c.state.count;
 *     },
 *   },
 * });
 * ```
 */
export function actor<
  // Not the last, since it has no default: that would be what `c` is taken from, in place of the bound.
  A extends Actions<ShapeOf<State, Vars, Input, Params, ConnState, E, Q>>,
  State = undefined,
  Vars = undefined,
  Input = undefined,
  Params = undefined,
  ConnState = undefined,
  E extends Events = Record<never, never>,
  Q extends Queues = Record<never, never>,
>(
  init: ActorInit<ShapeOf<State, Vars, Input, Params, ConnState, E, Q>, A>,
): ActorDefinition<ShapeOf<State, Vars, Input, Params, ConnState, E, Q>, A> {
  return { kind: "actor", ...init };
}
