import { ActrError } from "./errors.ts";
import type { HostOptions } from "./host_options.ts";

/** When a committed change is safe: `full` survives power loss, `normal` survives the process but may lose the last instants on power loss. */
export type Durability = "full" | "normal";

/** Limits of one mailbox, durable or volatile. */
export interface MailboxOptions {
  /** Messages queued or in flight before `overloaded` is answered. @default 16384 */
  readonly maxDepth: number;
  /** Bytes of queued or in-flight messages before `overloaded` is answered. @default 64 MiB */
  readonly maxBytes: number;
  /** Messages of one priority in memory; durable ones beyond wait in the store alone. @default 16384 */
  readonly windowDepth: number;
  /** Bytes of the messages of one priority in memory. @default 64 MiB */
  readonly windowBytes: number;
  /** Queued messages at which `onMailboxBackpressure` fires (`spec/node.md` §8.5). @default 1024 */
  readonly backpressureThreshold: number;
  /** Messages of high priority handed out in a row while normal ones wait. @default 16 */
  readonly highBurst: number;
  /** Messages of one sender in the line before further ones of it let those of others go first. @default 64 */
  readonly senderShare: number;
}

/** How inbound messages are handled. */
export interface InboundOptions {
  /** Puts plain calls into the durable mailbox too. @default false */
  readonly durableCalls: boolean;
  /** How often a durable message is tried before it becomes a dead letter. @default 5 */
  readonly maxAttempts: number;
  /** First pause before a durable message is tried again; doubles. Milliseconds. @default 1000 */
  readonly retryDelayMs: number;
  /** How long an answer is remembered, from its completion. Milliseconds. @default 30000 */
  readonly dedupTtlMs: number;
  /** Answers remembered. @default 65536 */
  readonly dedupMaxEntries: number;
  /** Bytes of answers remembered. @default 16 MiB */
  readonly dedupMaxBytes: number;
  /** Messages handled in one turn of the event loop before others get theirs. @default 64 */
  readonly maxPerTurn: number;
  /** How long a dead letter is kept, milliseconds. @default 30 days */
  readonly deadLetterTtlMs: number;
  /** Dead letters kept; the oldest go first. @default 10000 */
  readonly deadLetterMaxEntries: number;
  /** Pause between two clean-ups of the store, milliseconds. @default 15000 */
  readonly cleanUpMs: number;
}

/** How many handlers run at once, and for how long (`spec/node.md` §10). */
export interface DispatchOptions {
  /** Whether calls of methods with conflict keys run at once; without, every call runs alone. @default true */
  readonly concurrent: boolean;
  /** Handlers that run at once. @default 8 */
  readonly budget: number;
  /** Messages that run or wait for one of the same key, out of the mailbox. @default 256 */
  readonly capacity: number;
  /**
   * How long a handler may run before its caller is answered `timed_out`, milliseconds. Its writes are
   * dropped then, but it keeps its key and its place until it ends. @default none
   */
  readonly timeoutMs?: number;
  /** How long an explicit reply may take where the request has no deadline of its own, milliseconds. @default 30000 */
  readonly replyTimeoutMs: number;
  /** Explicit replies that are to come before `overloaded` is answered. @default 1024 */
  readonly maxPendingReplies: number;
}

/** How calls leave. */
export interface OutboundOptions {
  /** Deadline of a call that names none, milliseconds (`spec/transport.md` §7.1). @default 30000 */
  readonly timeoutMs: number;
  /** Budget of a tell, milliseconds (`spec/transport.md` §7.4). @default 13000 */
  readonly tellTimeoutMs: number;
  /** Calls waiting for an answer before `overloaded` is thrown. @default 65536 */
  readonly maxPending: number;
  /** Attempts on the reliable lane (`spec/transport.md` §7.5). @default 5 */
  readonly reliableAttempts: number;
  /** Pauses between them, milliseconds; the last repeats. @default [1000, 2000, 4000, 5000] */
  readonly reliablePausesMs: readonly number[];
  /** Attempts on the signal lane. @default 2 */
  readonly signalAttempts: number;
  /** Pauses between them, milliseconds. @default [500] */
  readonly signalPausesMs: readonly number[];
}

/** Limits of data streams and media tracks. */
export interface StreamOptions {
  /** Streams that are registered at once; media tracks count apart. @default 4096 */
  readonly maxStreams: number;
  /** Bytes of one connection's chunks that wait to be handled before that connection is not read any more. @default 4 MiB */
  readonly maxLagBytes: number;
  /** Latency-first chunks that wait in one stream before the newest is dropped (`spec/node.md` §14). @default 64 */
  readonly maxQueued: number;
  /** Bytes waiting to leave on a connection above which latency-first chunks are dropped. @default 256 KiB */
  readonly maxSendLagBytes: number;
  /** Sends that wait for a connection at once before `overloaded` is thrown. @default 1024 */
  readonly maxConnecting: number;
  /** Deadline of one send, milliseconds (`spec/transport.md` §8). @default 15000 */
  readonly sendTimeoutMs: number;
  /** How long a reader waits for the next chunk, milliseconds. @default 300000 */
  readonly idleTimeoutMs: number;
  /** What running handlers get when the node stops, milliseconds. @default 5000 */
  readonly closeTimeoutMs: number;
}

/** How peers are reached. */
export interface SessionOptions {
  /** Deadline of one dial, milliseconds. @default 10000 */
  readonly dialTimeoutMs: number;
  /** Sessions kept at once. @default 4096 */
  readonly maxSessions: number;
  /** How long a Roost peer may be silent on a WebRTC link before requests leave by another, milliseconds. One that has nothing to say is asked when half of this has passed. @default 5000 */
  readonly heartbeatMs: number;
  /**
   * The oldest Actr peers that are understood. Those of 0.3 label neither envelopes nor, at first, session descriptions:
   * what they leave out is guessed, so what answers a call too late is taken for a request. @default "0.5"
   */
  readonly compat: "0.3" | "0.5";
}

/** Deadlines of start and stop. */
export interface LifecycleOptions {
  /** For the registration, and again for everything from there to `onStart`: store, signaling, listeners. Milliseconds. @default 60000 */
  readonly startTimeoutMs: number;
  /** For each run of a hook of each observer, milliseconds. @default 30000 */
  readonly hookTimeoutMs: number;
  /** One deadline for the whole stop, milliseconds: three quarters of it at most go to handlers that still run. @default 15000 */
  readonly stopTimeoutMs: number;
  /** Hook events waiting before further ones are dropped and counted. @default 1024 */
  readonly maxHookEvents: number;
}

/** How a node follows changes of the network that it is told of. */
export interface NetworkOptions {
  /** How long further events are gathered after the first, before one action answers them all. Milliseconds. @default 400 */
  readonly settleMs: number;
  /** How long a report waits for its result, milliseconds. @default 5000 */
  readonly resultTimeoutMs: number;
  /** Reports that may wait at once. @default 100 */
  readonly maxEvents: number;
}

/** Every tunable of a node, resolved. */
export interface NodeOptions {
  readonly mailbox: MailboxOptions;
  readonly inbound: InboundOptions;
  readonly dispatch: DispatchOptions;
  readonly outbound: OutboundOptions;
  readonly streams: StreamOptions;
  readonly session: SessionOptions;
  readonly lifecycle: LifecycleOptions;
  readonly network: NetworkOptions;
  readonly actors: HostOptions;
}

/** The same, with everything optional. */
export type NodeOptionsInput = {
  readonly [Group in keyof NodeOptions]?: Partial<NodeOptions[Group]>;
};

const mebibyte = 1024 * 1024;

/** The default of every option. */
export const defaultNodeOptions: NodeOptions = {
  mailbox: {
    maxDepth: 16_384,
    maxBytes: 64 * mebibyte,
    windowDepth: 16_384,
    windowBytes: 64 * mebibyte,
    backpressureThreshold: 1024,
    highBurst: 16,
    senderShare: 64,
  },
  inbound: {
    durableCalls: false,
    maxAttempts: 5,
    retryDelayMs: 1000,
    dedupTtlMs: 30_000,
    dedupMaxEntries: 65_536,
    dedupMaxBytes: 16 * mebibyte,
    maxPerTurn: 64,
    deadLetterTtlMs: 30 * 24 * 60 * 60 * 1000,
    deadLetterMaxEntries: 10_000,
    cleanUpMs: 15_000,
  },
  dispatch: {
    concurrent: true,
    budget: 8,
    capacity: 256,
    replyTimeoutMs: 30_000,
    maxPendingReplies: 1024,
  },
  outbound: {
    timeoutMs: 30_000,
    tellTimeoutMs: 13_000,
    maxPending: 65_536,
    reliableAttempts: 5,
    reliablePausesMs: [1000, 2000, 4000, 5000],
    signalAttempts: 2,
    signalPausesMs: [500],
  },
  streams: {
    maxStreams: 4096,
    maxLagBytes: 4 * mebibyte,
    maxQueued: 64,
    maxSendLagBytes: mebibyte / 4,
    maxConnecting: 1024,
    sendTimeoutMs: 15_000,
    idleTimeoutMs: 300_000,
    closeTimeoutMs: 5000,
  },
  session: { dialTimeoutMs: 10_000, maxSessions: 4096, heartbeatMs: 5_000, compat: "0.5" },
  lifecycle: {
    startTimeoutMs: 60_000,
    hookTimeoutMs: 30_000,
    stopTimeoutMs: 15_000,
    maxHookEvents: 1024,
  },
  network: { settleMs: 400, resultTimeoutMs: 5000, maxEvents: 100 },
  actors: { leaseMs: 15_000, maxAwake: 50_000, maxDatabases: 128 },
};

/**
 * Fills in defaults and checks every value once.
 * @throws ActrError `config` naming the option, its value and what it may be.
 */
export function resolveNodeOptions(input: NodeOptionsInput = {}): NodeOptions {
  const resolved: NodeOptions = {
    mailbox: { ...defaultNodeOptions.mailbox, ...input.mailbox },
    inbound: { ...defaultNodeOptions.inbound, ...input.inbound },
    dispatch: { ...defaultNodeOptions.dispatch, ...input.dispatch },
    outbound: { ...defaultNodeOptions.outbound, ...input.outbound },
    streams: { ...defaultNodeOptions.streams, ...input.streams },
    session: { ...defaultNodeOptions.session, ...input.session },
    lifecycle: { ...defaultNodeOptions.lifecycle, ...input.lifecycle },
    network: { ...defaultNodeOptions.network, ...input.network },
    actors: { ...defaultNodeOptions.actors, ...input.actors },
  };
  for (const [group, options] of Object.entries(resolved)) checkGroup(group, options);
  checkCapacity(resolved.dispatch);
  checkCompat(resolved.session);
  return resolved;
}

function checkCompat({ compat }: SessionOptions): void {
  if (compat === "0.3" || compat === "0.5") return;
  throw new ActrError("config", `session.compat is ${String(compat)}; it must be "0.3" or "0.5"`, {
    details: { option: "session.compat", value: compat },
  });
}

function checkCapacity({ budget, capacity }: DispatchOptions): void {
  if (capacity >= budget) return;
  throw new ActrError(
    "config",
    `dispatch.capacity is ${capacity}; it must be at least dispatch.budget, which is ${budget}`,
    { details: { option: "dispatch.capacity", value: capacity } },
  );
}

function checkGroup(group: string, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (name === "compat") continue;
    const numbers = Array.isArray(value) ? value : typeof value === "boolean" ? [] : [value];
    for (const number of numbers) {
      if (Number.isSafeInteger(number) && number >= 1) continue;
      throw new ActrError(
        "config",
        `${group}.${name} is ${String(value)}; it must be a whole number of at least 1`,
        { details: { option: `${group}.${name}`, value } },
      );
    }
  }
}
