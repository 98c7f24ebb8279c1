import type { AnyActor } from "../actor.ts";
import type { NodeContext } from "../context.ts";
import type { ActorOptions } from "../host_options.ts";
import type { TargetFinder } from "../outbound/target_finder.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";
import type { Deadlines } from "../session/deadlines.ts";
import type { Clients } from "./clients.ts";
import type { Completions } from "./completions.ts";
import type { SqlPool } from "./sql_pool.ts";

/** Collaborators of everything in the actor host. */
export interface HostComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly store: Store;
  /** What was due until then, Unix milliseconds, may have ended an earlier process; before all times when none ended so. */
  readonly suspectUntil: number;
  /** Databases of actors, where the node has a place for them. */
  readonly sql: SqlPool | undefined;
  /** Deadlines of actions. */
  readonly deadlines: Deadlines;
  /** Senders that wait for the completion of their messages. */
  readonly completions: Completions;
  /** Clients of all actors, whether these sleep or not. */
  readonly clients: Clients;
  /** Finds nodes whose actors are called. */
  readonly finder: TargetFinder;
  /** The node that actors call others in the name of. */
  readonly node: () => NodeContext;
}

/** A definition under its name, with every option resolved. */
export interface ActorKind {
  readonly name: string;
  readonly definition: AnyActor;
  readonly options: ActorOptions;
}
