import type { ActorsOf, WithActors } from "../actor_client.ts";
import type { ActorCallOptions, NodeContext } from "../context.ts";
import type { Logger } from "../ports/logger.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { ActorQueues } from "./queues.ts";
import type { ScheduleFire, Schedules } from "./schedules.ts";
import type { ActorKey, ActorShape, Connection, PayloadOf } from "./shape.ts";
import type { KeyValues, Sql } from "./stores.ts";

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
  /** The actor stays awake until `work` has ended, which a stop waits for. Returns what it comes to. */
  keepAwake<T>(work: BackgroundWork<T>): Promise<T>;
  /** A stop waits for `work`, though the actor may begin to sleep. */
  waitUntil(work: BackgroundWork<unknown>): void;
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

/**
 * Work beside the turns of an actor: a promise, or a function that is called at once. Its signal is aborted when nothing
 * waits for the work any more, at the end of the grace of a stop: what it changes later is not saved. After that the
 * function is not called, and the result rejects: `actor.stopping`.
 */
export type BackgroundWork<T> = Promise<T> | ((signal: AbortSignal) => Promise<T>);

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
