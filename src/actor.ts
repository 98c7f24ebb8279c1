import type { ActorsOf, WithActors } from "./actor_client.ts";
import type { ActorCallOptions, NodeContext } from "./context.ts";
import type { ActrError } from "./errors.ts";
import type { ActorOptionsInput } from "./host_options.ts";
import type { Logger } from "./ports/logger.ts";
import type { SqlRow, SqlValue } from "./ports/sql_driver.ts";
import type { ActrId } from "./protocol/ids.ts";
import type { WorkflowDefinition } from "./workflow.ts";

/** Names one actor among those of its definition: any texts, in order. */
export type ActorKey = readonly string[];

/** A function that returns the value as it should be, or throws; or an object of the Standard Schema interface (such as Zod's). */
export type Schema<T> =
  | ((value: unknown) => T)
  | {
      readonly "~standard": {
        readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
      };
    };

/** What a Standard Schema says of a value. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** An event that an actor broadcasts, as data. */
export interface EventDefinition<Payload = unknown> {
  readonly kind: "event";
  readonly schema?: Schema<Payload>;
  /** Who may subscribe. @default everybody who is connected */
  readonly canSubscribe?: (c: ActorContext, conn: Connection) => boolean | Promise<boolean>;
  /** Carries the type alone. */
  readonly payload?: Payload;
}

/** Defines an event of an actor by the type of its payload. */
export function event<Payload>(
  init: Pick<EventDefinition<Payload>, "schema" | "canSubscribe"> = {},
): EventDefinition<Payload> {
  return { kind: "event", ...init };
}

/** What happens to a message whose handler fails, and when it is handed out again. */
export interface QueuePolicy {
  /** How long a message that was received may stay uncompleted before it is handed out again, milliseconds. @default 30000 */
  readonly visibilityMs?: number;
  /** How often a message is handed out before it becomes a dead letter. @default 5 */
  readonly maxAttempts?: number;
  /** First pause before a message that was given back is handed out again; doubles. Milliseconds. @default 1000 */
  readonly retryDelayMs?: number;
  /** Messages that are received and not completed at once; with 1 they are handled strictly in order. @default any number */
  readonly maxUncompleted?: number;
}

/** A queue of an actor, as data. */
export interface QueueDefinition<Message = unknown, Completion = unknown> extends QueuePolicy {
  readonly kind: "queue";
  readonly message?: Schema<Message>;
  /** What completes a message is checked, and told to a sender that waits for it. */
  readonly completion?: Schema<Completion>;
  /** Who may send. @default everybody */
  readonly canPublish?: (
    c: ActorContext,
    conn: Connection | undefined,
  ) => boolean | Promise<boolean>;
  /** Carries the types alone. */
  readonly types?: { readonly message: Message; readonly completion: Completion };
}

/** Defines a queue of an actor by the types of its messages and of what completes them. */
export function queue<Message, Completion = void>(
  init: Omit<QueueDefinition<Message, Completion>, "kind" | "types"> = {},
): QueueDefinition<Message, Completion> {
  return { kind: "queue", ...init };
}

/** Events of an actor by name. */
// biome-ignore lint/suspicious/noExplicitAny: events of different payloads stand side by side; each was checked against its own.
export type Events = Readonly<Record<string, EventDefinition<any>>>;

/** Queues of an actor by name. */
// biome-ignore lint/suspicious/noExplicitAny: queues of different messages stand side by side; each was checked against its own.
export type Queues = Readonly<Record<string, QueueDefinition<any, any>>>;

/** The payload of an event. */
export type PayloadOf<E> = E extends EventDefinition<infer Payload> ? Payload : never;

/** The messages of a queue. */
export type MessageOf<Q> = Q extends QueueDefinition<infer Message, infer _> ? Message : never;

/** What completes the messages of a queue. */
export type CompletionOf<Q> =
  Q extends QueueDefinition<infer _, infer Completion> ? Completion : never;

/** The types that an actor's parts share. */
export interface ActorShape {
  readonly state: unknown;
  readonly vars: unknown;
  readonly input: unknown;
  readonly params: unknown;
  readonly connState: unknown;
  readonly events: Events;
  readonly queues: Queues;
}

/** An {@link ActorShape} of its parts. */
export interface ShapeOf<
  State,
  Vars,
  Input,
  Params,
  ConnState,
  E extends Events,
  Q extends Queues,
> {
  readonly state: State;
  readonly vars: Vars;
  readonly input: Input;
  readonly params: Params;
  readonly connState: ConnState;
  readonly events: E;
  readonly queues: Q;
}

/** One client that is connected to an actor. */
export interface Connection<Shape extends ActorShape = ActorShape> {
  readonly id: string;
  /** What the client gave when it connected. */
  readonly params: Shape["params"];
  /** Lives as long as the connection; with one that hibernates it survives the sleep of the actor. */
  state: Shape["connState"];
  /** Whether it stays open while the actor sleeps. */
  readonly hibernates: boolean;
  /** Sends an event to this client alone, whether it subscribed or not. */
  send<Name extends keyof Shape["events"] & string>(
    name: Name,
    payload: PayloadOf<Shape["events"][Name]>,
  ): void;
  /** Ends the connection. Idempotent. */
  disconnect(reason?: string): Promise<void>;
}

/** When a schedule's action is tried again after it failed; beyond, it becomes a dead letter. */
export interface SchedulePolicy {
  /** @default 3 */
  readonly maxRetries?: number;
  /** First pause before another try; doubles. Milliseconds. @default 1000 */
  readonly retryDelayMs?: number;
}

/** How one action is scheduled. */
export interface ScheduleOptions extends SchedulePolicy {
  /** Replaces the schedule of this name, if there is one. At most 128 UTF-8 bytes. @default a new schedule */
  readonly name?: string;
}

/** How an action is scheduled by the calendar. */
export interface CronOptions extends ScheduleOptions {
  /** IANA time zone. @default "UTC" */
  readonly timeZone?: string;
}

/** One schedule, as it is listed. */
export interface Schedule {
  readonly id: string;
  readonly name: string | undefined;
  readonly action: string;
  readonly args: readonly unknown[];
  /** When it is due, Unix milliseconds. */
  readonly dueAt: number;
  /** A repeating one has an interval in milliseconds, or a cron expression. */
  readonly everyMs: number | undefined;
  readonly cron: string | undefined;
  readonly timeZone: string | undefined;
}

/** One try of one run of a schedule, as it is remembered. */
export interface ScheduleRun extends ScheduleFire {
  readonly action: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why it failed; `schedule.interrupted` when its process, or its actor, ended under it. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Which runs are listed. */
export interface HistoryOptions {
  /** @default 100 */
  readonly limit?: number;
}

/** Durable schedules of one actor: an action runs later, also when the actor sleeps or its node was restarted. */
export interface Schedules {
  /** Runs an action once, `ms` milliseconds from now; returns the schedule's id. @throws ActrError `actor.action_not_found`, `schedule.full`. */
  after(ms: number, action: string, ...args: unknown[]): string;
  /** Runs an action once at a time, Unix milliseconds. @throws as {@link Schedules.after}. */
  at(dueAt: number, action: string, ...args: unknown[]): string;
  /** As {@link Schedules.at}, with a name and a policy. @throws as {@link Schedules.after}; `schedule.invalid`. */
  set(
    options: ScheduleOptions & { readonly at: number },
    action: string,
    ...args: unknown[]
  ): string;
  /** Runs an action every `everyMs` milliseconds, at least 5000; named, so that setting it at every start changes nothing. */
  every(name: string, everyMs: number, action: string, ...args: unknown[]): string;
  /** Runs an action by a cron expression of five fields. @throws ActrError `schedule.invalid` for an expression or zone that is none. */
  cron(
    options: CronOptions & { readonly name: string; readonly expression: string },
    action: string,
    ...args: unknown[]
  ): string;
  /** By id or name. */
  get(idOrName: string): Schedule | undefined;
  /** All, by the time when they are due. */
  list(): readonly Schedule[];
  /** By id or name; false when there is none. */
  cancel(idOrName: string): boolean;
  /** The last runs, the latest first; of one schedule, by id or name, or of all. Of each the last 100 are kept, of the actor the last 1000. */
  history(idOrName?: string, options?: HistoryOptions): Promise<readonly ScheduleRun[]>;
}

/** Durable values of one actor, by key. Reads see its own writes; writes are committed with the turn. */
export interface KeyValues {
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** @throws ActrError `actor.unsupported_value`; RangeError for a key that is empty or too long. */
  put(key: string, value: unknown): void;
  delete(key: string): void;
  /** Entries whose keys begin with `prefix`, ascending, after `after`. @default limit 100 */
  list<T = unknown>(options?: {
    readonly prefix?: string;
    readonly after?: string;
    readonly limit?: number;
  }): Promise<readonly { readonly key: string; readonly value: T }[]>;
}

/**
 * Statements of SQL (SQLite), with parameters by position. @throws ActrError `sqlite.statement_failed`,
 * `sqlite.invalid_bind_parameter`, `sqlite.closed` when the actor has stopped or the transaction is over; `storage`.
 */
export interface SqlStatements {
  /** All rows of one statement, by the names of their columns; integers beyond 2^53 are bigints. */
  all<Row = SqlRow>(sql: string, ...args: readonly SqlValue[]): Promise<Row[]>;
  /** The first row. */
  get<Row = SqlRow>(sql: string, ...args: readonly SqlValue[]): Promise<Row | undefined>;
  /** Runs one statement that returns nothing. */
  run(sql: string, ...args: readonly SqlValue[]): Promise<void>;
}

/**
 * A database of the actor's own. What a statement writes is on disk when it has ended, whatever becomes of the action;
 * statements and transactions go one after the other. @throws as {@link SqlStatements}; ActrError `actor.overloaded`
 * when 128 wait, `sqlite.not_configured` where the definition has no `sql`, or the node no place for databases.
 */
export interface Sql extends SqlStatements {
  /** Several statements in one transaction, all or nothing. */
  batch(
    statements: readonly (readonly [sql: string, ...args: readonly SqlValue[]])[],
  ): Promise<void>;
  /**
   * A transaction that code goes on in, at most 60 s: committed with its end, rolled back when it throws or the actor
   * stops. Everything else of this database waits, `c.sql` within `work` too: use `tx`. @throws ActrError `timed_out`.
   */
  transaction<T>(work: (tx: SqlStatements) => T | Promise<T>): Promise<T>;
}

/** One step of a database from version to version, run once, in one transaction: statements, or code. */
export type SqlMigration = readonly string[] | ((tx: SqlStatements) => void | Promise<void>);

/** The database of an actor, as data. */
export interface SqlDefinition {
  /** What has to be done, in order, to bring a new database to where the definition is. Add at the end; change none. Run at the first use in each life of the actor, as far as it is needed. */
  readonly migrations?: readonly SqlMigration[];
}

/** One message of a queue, as its actor receives it. */
export interface QueueMessage<
  Message = unknown,
  Completion = unknown,
  Name extends string = string,
> {
  readonly id: string;
  readonly queue: Name;
  readonly body: Message;
  /** Unix milliseconds. */
  readonly sentAt: number;
  /** How often it was handed out, this time included. */
  readonly attempt: number;
  /**
   * Done: it is deleted, and who waits for it gets `response`.
   * @throws ActrError `queue.already_completed`; `queue.timed_out` when it was handed out again, or is about to be;
   * `queue.complete_not_configured` when it was deleted on receipt; `queue.invalid_completion_payload`.
   */
  complete(response?: Completion): Promise<void>;
  /**
   * Gives it back, to be handed out again after a pause; a dead letter after too many attempts.
   * @throws ActrError as {@link QueueMessage.complete}.
   */
  retry(options?: { readonly delayMs?: number }): Promise<void>;
}

/** Names of the queues of an actor. */
export type QueueNameOf<Shape extends ActorShape> = keyof Shape["queues"] & string;

/** A message of one of these queues; which one, its `queue` tells. */
export type MessageIn<Shape extends ActorShape, Name extends QueueNameOf<Shape>> = {
  readonly [Each in Name]: QueueMessage<
    MessageOf<Shape["queues"][Each]>,
    CompletionOf<Shape["queues"][Each]>,
    Each
  >;
}[Name];

/** How messages are received one after another. */
export interface IterateOptions<Name extends string = string> {
  /** Queues to receive from. @default all */
  readonly names?: readonly Name[];
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /**
   * Keeps messages until they are completed, each attempt being counted on disk before the message is seen; otherwise
   * they are deleted when they are received, in one commit with what the turn changes. @default false
   */
  readonly completable?: boolean;
}

/** How messages are received. */
export interface ReceiveOptions<Name extends string = string> extends IterateOptions<Name> {
  /** Resolves with nothing after so long; 0 does not wait. Milliseconds. @default waits */
  readonly timeoutMs?: number;
  /** Of a batch: at most so many. @default 1 */
  readonly count?: number;
}

/** How a message is sent. */
export interface QueueSendOptions {
  /** It is handed out no earlier than this from now, milliseconds. @default 0 */
  readonly delayMs?: number;
}

/** How the completion of a message is waited for. */
export interface AwaitOptions extends QueueSendOptions {
  /** Milliseconds. @default the actor's actionTimeoutMs */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What became of a message that its sender waited for. */
export type QueueOutcome<Completion = unknown> =
  | { readonly status: "completed"; readonly response: Completion }
  | { readonly status: "timedOut" };

/** Queues of one actor: durable, bounded, first in first out by name. */
export interface ActorQueues<Shape extends ActorShape = ActorShape> {
  /**
   * Puts a message in; committed with the turn.
   * @throws ActrError `queue.full`, `queue.message_too_large`, `queue.not_found`, `queue.invalid_payload`.
   */
  send<Name extends QueueNameOf<Shape>>(
    name: Name,
    body: MessageOf<Shape["queues"][Name]>,
    options?: QueueSendOptions,
  ): void;
  /** Puts a message in and waits until it is completed. @throws as {@link ActorQueues.send}; ActrError `actor.aborted`. */
  sendAndWait<Name extends QueueNameOf<Shape>>(
    name: Name,
    body: MessageOf<Shape["queues"][Name]>,
    options?: AwaitOptions,
  ): Promise<QueueOutcome<CompletionOf<Shape["queues"][Name]>>>;
  /**
   * The next message; undefined after `timeoutMs`.
   * @throws ActrError `actor.aborted` when the actor stops, the action's time is up, or `signal` is aborted;
   * `queue.not_found`; `queue.previous_message_not_completed` when every queue has handed out its `maxUncompleted`.
   */
  next<Name extends QueueNameOf<Shape> = QueueNameOf<Shape>>(
    options?: Omit<ReceiveOptions<Name>, "count">,
  ): Promise<MessageIn<Shape, Name> | undefined>;
  /** The next messages, at least one; none after `timeoutMs`. @throws as {@link ActorQueues.next}. */
  nextBatch<Name extends QueueNameOf<Shape> = QueueNameOf<Shape>>(
    options?: ReceiveOptions<Name>,
  ): Promise<readonly MessageIn<Shape, Name>[]>;
  /** Messages as they come, until the actor stops or `signal` is aborted. */
  iterate<Name extends QueueNameOf<Shape> = QueueNameOf<Shape>>(
    options?: IterateOptions<Name>,
  ): AsyncIterableIterator<MessageIn<Shape, Name>>;
  /** As {@link ActorQueues.iterate} of all queues. */
  [Symbol.asyncIterator](): AsyncIterableIterator<MessageIn<Shape, QueueNameOf<Shape>>>;
}

/** What an actor's code is given: one object for hooks, `run` and actions alike. */
export interface ActorContext<Shape extends ActorShape = ActorShape> {
  readonly actorId: string;
  /** Name of its definition. */
  readonly name: string;
  readonly key: ActorKey;
  /** Durable. Every change, however deep, is saved with the turn that made it; assigning replaces all of it. */
  state: Shape["state"];
  /** Lives as long as the actor is awake. */
  readonly vars: Shape["vars"];
  readonly kv: KeyValues;
  /** A database of its own, where the definition has `sql`; opened when it is first used, closed when the actor sleeps. */
  readonly sql: Sql;
  readonly schedule: Schedules;
  readonly queue: ActorQueues<Shape>;
  /** Clients that are connected, by id. */
  readonly conns: ReadonlyMap<string, Connection<Shape>>;
  readonly log: Logger;
  /** Aborted when the actor begins to stop; of an action, also at its deadline. */
  readonly signal: AbortSignal;
  /** The node that it lives on: calls peers and their services. */
  readonly node: NodeContext;
  /** Sends an event to every client that subscribed to it, once what the actor knows is on disk. */
  broadcast<Name extends keyof Shape["events"] & string>(
    name: Name,
    payload: PayloadOf<Shape["events"][Name]>,
  ): void;
  /** Saves what has changed until now; resolves when it is on disk. @throws ActrError `storage`. */
  saveState(options?: SaveOptions): Promise<void>;
  /** The actor stays awake until `work` has ended, which a stop waits for. Returns `work`. */
  keepAwake<T>(work: Promise<T>): Promise<T>;
  /** A stop waits for `work`, though the actor may begin to sleep. */
  waitUntil(work: Promise<unknown>): void;
  /**
   * Other actors, typed by the app that they are part of: of the node, or of the one at `target`, an id or a type, as
   * {@link NodeContext.actors}. An actor that is called may call this one back, across nodes too.
   * @throws ActrError from each call: `actor.calls_too_deep` when 64 wait for each other already.
   */
  client<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App>;
  /** Lets the actor sleep as soon as its work is done. Idempotent. @throws ActrError `actor.starting`, `actor.stopping`. */
  sleep(): void;
  /** Ends the actor for good, with all its data, as soon as its work is done. @throws ActrError `actor.starting`, `actor.stopping`. */
  destroy(): void;
}

/** When state is saved. */
export interface SaveOptions {
  /** Now, rather than after the interval of saves. @default true */
  readonly immediate?: boolean;
  /** Not later than this from now, milliseconds. */
  readonly maxWaitMs?: number;
}

/** What an action is given. */
export interface ActionContext<Shape extends ActorShape = ActorShape> extends ActorContext<Shape> {
  /** Who calls, where it is a client that is connected; an action that was scheduled has none. */
  readonly conn: Connection<Shape> | undefined;
  /** What the schedule says that this run is of, if it is one. */
  readonly fire: ScheduleFire | undefined;
}

/** Which run of a schedule this is. */
export interface ScheduleFire {
  readonly scheduleId: string;
  readonly name: string | undefined;
  /** When it was due, Unix milliseconds. */
  readonly dueAt: number;
  /** The same for every try of one run. */
  readonly fireId: string;
  /** 1 for the first try. */
  readonly attempt: number;
}

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
  onStateChange?(c: ActorContext<Shape>, state: Shape["state"]): void;
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
