import type { AnyActor } from "../actor.ts";
import type { NodeContext } from "../context.ts";
import type { ActorOptions, HostOptions } from "../host_options.ts";
import { TargetFinder } from "../outbound/target_finder.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { SqlDatabases } from "../ports/sql_databases.ts";
import type { Store } from "../ports/store.ts";
import { Deadlines } from "../session/deadlines.ts";
import { Clients } from "./connections/clients.ts";
import { Completions } from "./queues/completions.ts";
import { SqlPool } from "./sql/sql_pool.ts";

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

/** What a node gives its host. */
export interface GivenComponents
  extends Pick<HostComponents, "clock" | "random" | "log" | "store" | "node"> {
  readonly databases?: SqlDatabases | undefined;
  /** Of a store that nodes share: this node's ActrId as text. */
  readonly placedAs?: (() => string) | undefined;
}

/** What a node gives, and what all actors of a host share. */
export function hostComponents(
  given: GivenComponents,
  { maxDatabases }: Pick<HostOptions, "maxDatabases">,
): HostComponents {
  const { clock, store, databases } = given;
  return {
    ...given,
    suspectUntil: store.opened.unclean ? clock.now() : Number.NEGATIVE_INFINITY,
    sql: databases && new SqlPool(databases, { maxOpen: maxDatabases }),
    deadlines: new Deadlines(clock),
    completions: new Completions(),
    clients: new Clients(clock),
    finder: new TargetFinder(),
  };
}

/** A definition under its name, with every option resolved. */
export interface ActorKind {
  readonly name: string;
  readonly definition: AnyActor;
  readonly options: ActorOptions;
}
