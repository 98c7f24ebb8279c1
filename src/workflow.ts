import type {
  ActorContext,
  ActorKey,
  ActorShape,
  KeyValues,
  MessageIn,
  MessageOf,
  QueueNameOf,
  QueueSendOptions,
  Schedules,
} from "./actor.ts";
import type { EntryKind } from "./host/workflow/history.ts";
import type { Logger } from "./ports/logger.ts";

export type { EntryKind } from "./host/workflow/history.ts";

/** Limits of one workflow. */
export interface WorkflowLimits {
  /** Entries of its history at once. @default 10000 */
  readonly maxEntries: number;
  /** Bytes of its history at once: outputs, messages, states of loops. @default 16777216 */
  readonly maxHistoryBytes: number;
  /** Bytes of one output, encoded. @default 1048576 */
  readonly maxOutputBytes: number;
}

/** A data value that may not be changed, however deep. */
export type Frozen<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends ReadonlyMap<infer Key, infer Value>
    ? ReadonlyMap<Frozen<Key>, Frozen<Value>>
    : T extends ReadonlySet<infer Member>
      ? ReadonlySet<Frozen<Member>>
      : T extends object
        ? { readonly [Name in keyof T]: Frozen<T[Name]> }
        : T;

/** The schedules of an actor, as a step sees them: what it sets takes effect with its result. */
export type StepSchedules = Pick<Schedules, "get" | "list"> & {
  readonly [Name in "after" | "at" | "set" | "every" | "cron" | "cancel"]: (
    ...args: Parameters<Schedules[Name]>
  ) => void;
};

/** What every step is given. What it writes to `sql` is not part of its commit. */
export interface StepBase<Shape extends ActorShape>
  extends Pick<
    ActorContext<Shape>,
    | "actorId"
    | "name"
    | "key"
    | "vars"
    | "sql"
    | "conns"
    | "log"
    | "node"
    | "client"
    | "sleep"
    | "destroy"
  > {
  /** Aborted when its time is up, when another branch of its race has won, or when the actor begins to stop. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The same for every try of this step of this actor, and for nothing else: for calls that must have their effect once. */
  readonly idempotencyKey: string;
}

/** What a step is given. What it changes is written in one commit with its result, and by a try that fails nothing is. */
export interface StepContext<Shape extends ActorShape = ActorShape> extends StepBase<Shape> {
  state: Shape["state"];
  readonly kv: KeyValues;
  readonly schedule: StepSchedules;
  /** Sends an event once the step is done. */
  readonly broadcast: ActorContext<Shape>["broadcast"];
  /** Puts a message into a queue of the actor once the step is done. */
  send<Name extends QueueNameOf<Shape>>(
    name: Name,
    body: MessageOf<Shape["queues"][Name]>,
    options?: QueueSendOptions,
  ): void;
}

/** What a step is given that goes on beside the actor's actions: it changes nothing. */
export interface InterleavedStepContext<Shape extends ActorShape = ActorShape>
  extends StepBase<Shape> {
  /** As it was when it was first asked for. */
  readonly state: Frozen<Shape["state"]>;
  readonly kv: Pick<KeyValues, "get" | "list">;
}

/** How often, and when, a step that failed is tried again. An error of kind `client` or `corrupt` is final. */
export interface StepPolicy {
  /** @default 3 */
  readonly maxRetries?: number;
  /** First pause before another try; doubles. Milliseconds. @default 100 */
  readonly retryDelayMs?: number;
  /** Longest pause, milliseconds. @default 30000 */
  readonly maxRetryDelayMs?: number;
  /** Time of one try, milliseconds; 0 for no end. @default 30000 */
  readonly timeoutMs?: number;
  /** Whether a try whose time is up is followed by another. @default false */
  readonly retryOnTimeout?: boolean;
}

/** What is said of an entry of a workflow beside its name. */
export interface EntryOptions {
  /** Names that it had in earlier versions of the code. @default none */
  readonly was?: readonly string[];
}

/** How one step runs. */
export interface StepOptions<Shape extends ActorShape, Result> extends StepPolicy, EntryOptions {
  /**
   * `exclusive` as an action: alone, and free to change the actor. `interleaved`: beside the actions, changing nothing;
   * for calls that take long. @default "exclusive"
   */
  readonly turn?: "exclusive";
  /** Undoes it when the workflow fails later, in reverse order; is tried as the step is. */
  readonly rollback?: (c: StepContext<Shape>, output: Result) => unknown;
}

/** How a step runs that goes on beside the actor's actions. */
export interface InterleavedStepOptions<Shape extends ActorShape, Result>
  extends Omit<StepOptions<Shape, Result>, "turn"> {
  readonly turn: "interleaved";
}

/** How a message is waited for. */
export interface MessageOptions<Name extends string> extends EntryOptions {
  /** Queues to receive from. @default all */
  readonly names?: readonly Name[];
  /** Resolves with nothing after so long, milliseconds. @default waits */
  readonly timeoutMs?: number;
  /** Whether a sender that waits is told when the message is completed, rather than when it is received. @default false */
  readonly completable?: boolean;
}

/** A message that a workflow has received. */
export type WorkflowMessage<Shape extends ActorShape, Name extends QueueNameOf<Shape>> = {
  readonly [Each in Name]: Pick<
    MessageIn<Shape, Each>,
    "id" | "queue" | "body" | "sentAt" | "complete"
  >;
}[Name];

/** What one iteration of a loop says: go on with a state, or end with a result. */
export type LoopResult<State, Result> = { readonly next: State } | { readonly done: Result };

/** How a loop runs. */
export interface LoopOptions<State> extends EntryOptions {
  /** What the first iteration is given. @default undefined */
  readonly state?: State;
  /** Iterations whose entries are kept; older ones are forgotten. @default 20 */
  readonly keep?: number;
}

/** Part of a join or a race. */
export type Branch<Shape extends ActorShape, Result = unknown> = (
  w: WorkflowContext<Shape>,
) => Promise<Result>;

/** What the branches of a race come to. */
export type RaceResult<Branches> = {
  readonly [Name in keyof Branches & string]: {
    readonly winner: Name;
    readonly value: Branches[Name] extends (...args: never[]) => infer Result
      ? Awaited<Result>
      : never;
  };
}[keyof Branches & string];

/**
 * What a workflow is made of. Every call is an entry of its history: it is found there when the workflow runs anew, by
 * its place and name, and what it came to is returned as it was. Calls of one context come one after the other; code
 * between them is run again at every start, so it may depend on nothing but their results.
 */
export interface WorkflowContext<Shape extends ActorShape = ActorShape> {
  readonly actorId: string;
  /** Name of the actor's definition. */
  readonly name: string;
  readonly key: ActorKey;
  /** What the actor was created with. */
  readonly input: Shape["input"];
  readonly log: Logger;
  /** Does a piece of work, once: its result is on disk before the workflow goes on. @throws ActrError what its last try failed with. */
  step<Result>(
    name: string,
    run: (c: StepContext<Shape>) => Result | Promise<Result>,
  ): Promise<Result>;
  step<Result>(
    name: string,
    options: StepOptions<Shape, Result>,
    run: (c: StepContext<Shape>) => Result | Promise<Result>,
  ): Promise<Result>;
  step<Result>(
    name: string,
    options: InterleavedStepOptions<Shape, Result>,
    run: (c: InterleavedStepContext<Shape>) => Result | Promise<Result>,
  ): Promise<Result>;
  /** Waits, milliseconds; the actor may sleep meanwhile. @throws RangeError for a time that is none. */
  sleep(name: string, ms: number, options?: EntryOptions): Promise<void>;
  /** Waits until a time, Unix milliseconds. @throws RangeError for a time that is none. */
  sleepUntil(name: string, atMs: number, options?: EntryOptions): Promise<void>;
  /** Receives the next message of the actor's queues: it leaves its queue as it enters the history. @throws ActrError `queue.not_found`. */
  message<Name extends QueueNameOf<Shape> = QueueNameOf<Shape>>(
    name: string,
    options: MessageOptions<Name> & { readonly timeoutMs: number },
  ): Promise<WorkflowMessage<Shape, Name> | undefined>;
  message<Name extends QueueNameOf<Shape> = QueueNameOf<Shape>>(
    name: string,
    options?: MessageOptions<Name>,
  ): Promise<WorkflowMessage<Shape, Name>>;
  /** Runs its body until that is done. The state that an iteration hands on is durable. */
  loop<Result, State = undefined>(
    name: string,
    options: LoopOptions<State>,
    body: (w: WorkflowContext<Shape>, state: State) => Promise<LoopResult<State, Result>>,
  ): Promise<Result>;
  loop<Result>(
    name: string,
    body: (w: WorkflowContext<Shape>) => Promise<{ readonly done: Result } | undefined>,
  ): Promise<Result>;
  /** Runs branches beside each other, to their ends. @throws ActrError what the first of those that failed failed with. */
  join<Branches extends Readonly<Record<string, Branch<Shape>>>>(
    name: string,
    branches: Branches,
    options?: EntryOptions,
  ): Promise<{ readonly [Name in keyof Branches]: Awaited<ReturnType<Branches[Name]>> }>;
  /** Runs branches until one succeeds; the others are cancelled. @throws ActrError what the first failed with, when all have. */
  race<Branches extends Readonly<Record<string, Branch<Shape>>>>(
    name: string,
    branches: Branches,
    options?: EntryOptions,
  ): Promise<RaceResult<Branches>>;
  /** What came before stays, whatever fails later. */
  rollbackCheckpoint(name: string): Promise<void>;
  /** Marks the place of an entry that the code had in an earlier version: where the history has it, it is passed over. */
  removed(name: string, kind: EntryKind): Promise<void>;
  /** `latest` for workflows that reach this place now, 1 for those that went past it before it was here. */
  version(name: string, latest: number): Promise<number>;
}

/**
 * A workflow as the `run` of an actor: it goes on where it was, whatever happens to its process.
 *
 * @example
 * ```ts
 * const order = actor({
 *   state: () => ({ status: "new" }),
 *   queues: { payments: queue<{ amount: number }>() },
 *   actions: { status: (c) => c.state.status },
 *   run: {
 *     async workflow(w) {
 *       const paid = await w.message("paid", { names: ["payments"], timeoutMs: 86_400_000 });
 *       await w.step("settle", (c) => {
 *         c.state.status = paid === undefined ? "expired" : "paid";
 *       });
 *     },
 *   },
 * });
 * ```
 */
export interface WorkflowDefinition<Shape extends ActorShape = ActorShape> {
  /** The code; what it returns is kept. */
  workflow(w: WorkflowContext<Shape>): unknown;
  readonly limits?: Partial<WorkflowLimits>;
}
