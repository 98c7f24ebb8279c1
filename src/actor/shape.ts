import type { ActorContext } from "./context.ts";

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
