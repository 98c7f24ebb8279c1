import { ActrError } from "./errors.ts";

/** Limits of the actors of one node together. */
export interface HostOptions {
  /** Actors that are awake at once; beyond, those that rested longest go to sleep. @default 50000 */
  readonly maxAwake: number;
  /** Of nodes that share a store for their actors: how long one may be silent before its actors wake elsewhere, milliseconds. @default 15000 */
  readonly leaseMs: number;
  /** Databases of actors that are open at once; beyond, those that were not used for longest are closed until they are. @default 128 */
  readonly maxDatabases: number;
}

/** Limits and times of one kind of actor (`spec/actor-host.md` §19). */
export interface ActorOptions {
  /** Idle time before it sleeps, milliseconds. @default 30000 */
  readonly sleepAfterMs: number;
  /** Never sleeps by itself. @default false */
  readonly noSleep: boolean;
  /** What a stop gives to work that still goes on, milliseconds. @default 15000 */
  readonly sleepGraceMs: number;
  /** Deadline of an action, milliseconds. @default 60000 */
  readonly actionTimeoutMs: number;
  /** Deadline of `onMigrate` and `onWake`, milliseconds. @default 30000 */
  readonly wakeTimeoutMs: number;
  /** Deadline of every other hook, milliseconds. @default 5000 */
  readonly hookTimeoutMs: number;
  /** Deadline of the whole start, milliseconds. @default 60000 */
  readonly startTimeoutMs: number;
  /** Longest time that a change made outside an action stays unsaved, milliseconds. @default 1000 */
  readonly saveIntervalMs: number;
  /** Actions and requests that wait for their turn. @default 1024 */
  readonly maxInbox: number;
  /** Schedules at once. @default 1000 */
  readonly maxSchedules: number;
  /** Messages in all queues. @default 1000 */
  readonly maxQueueSize: number;
  /** Bytes of one message of a queue, encoded. @default 65536 */
  readonly maxQueueMessageBytes: number;
  /** How long the answer to a request that changed something is remembered for repeats of the request, milliseconds. @default 600000 */
  readonly requestsKeptMs: number;
  /** Such answers that are remembered at once; the oldest are forgotten first. @default 256 */
  readonly maxRequestsKept: number;
  /** Clients that are connected at once. @default 10000 */
  readonly maxConnections: number;
  /** How long a client whose socket is lost may come back, and misses nothing, milliseconds. @default 30000 */
  readonly resumeMs: number;
  /** Bytes of one message that a client sends. @default 65536 */
  readonly maxIncomingBytes: number;
  /** Bytes of the body of a request that `onRequest` is given. @default 20971520 */
  readonly maxRequestBytes: number;
  /** Bytes of one message to a client. @default 1048576 */
  readonly maxOutgoingBytes: number;
}

/** The same, with everything optional. */
export type ActorOptionsInput = Partial<ActorOptions>;

/** The default of every option of an actor. */
export const defaultActorOptions: ActorOptions = {
  sleepAfterMs: 30_000,
  noSleep: false,
  sleepGraceMs: 15_000,
  actionTimeoutMs: 60_000,
  wakeTimeoutMs: 30_000,
  hookTimeoutMs: 5000,
  startTimeoutMs: 60_000,
  saveIntervalMs: 1000,
  maxInbox: 1024,
  maxSchedules: 1000,
  maxQueueSize: 1000,
  maxQueueMessageBytes: 65_536,
  requestsKeptMs: 600_000,
  maxRequestsKept: 256,
  maxConnections: 10_000,
  resumeMs: 30_000,
  maxIncomingBytes: 65_536,
  maxRequestBytes: 20_971_520,
  maxOutgoingBytes: 1_048_576,
};

/**
 * Fills in defaults and checks every value once.
 * @throws ActrError `config` naming the actor, the option, its value and what it may be.
 */
export function resolveActorOptions(actor: string, input: ActorOptionsInput = {}): ActorOptions {
  for (const [name, value] of Object.entries(input)) {
    if (!(name in defaultActorOptions)) throw wrong(actor, name, value, "is no option of an actor");
    if (typeof value === "boolean" || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw wrong(actor, name, value, "must be a whole number of at least 1");
  }
  return { ...defaultActorOptions, ...input };
}

function wrong(actor: string, name: string, value: unknown, mend: string): ActrError {
  const message = `actor ${actor}: options.${name} is ${String(value)}; it ${mend}`;
  return new ActrError("config", message, { details: { actor, option: name, value } });
}
