import type { NodeContext } from "../context.ts";
import type {
  CredentialEvent,
  ErrorEvent,
  EventHook,
  HookPayload,
  Hooks,
  PeerEvent,
} from "../hooks.ts";
import { letterTrouble } from "../inbound/dead_letters.ts";
import type { LifecycleOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogAttributes, Logger, LogLevel } from "../ports/logger.ts";
import { formatActrId } from "../protocol/ids.ts";
import { withinLimit } from "../time_limit.ts";
import { troubles } from "../trouble.ts";

type AnyEvent = PeerEvent & CredentialEvent & ErrorEvent;

type LogLine = readonly [level: LogLevel, event: string];

/** How each event hook is logged, with or without an observer (`spec/node.md` §11.1). */
const logged: Readonly<Record<Exclude<EventHook, "onError">, LogLine>> = {
  onSignalingConnecting: ["debug", "signaling.connecting"],
  onSignalingConnected: ["info", "signaling.connected"],
  onSignalingDisconnected: ["warn", "signaling.disconnected"],
  onWebSocketConnecting: ["debug", "websocket.connecting"],
  onWebSocketConnected: ["info", "websocket.connected"],
  onWebSocketDisconnected: ["warn", "websocket.disconnected"],
  onWebRtcConnecting: ["debug", "webrtc.connecting"],
  onWebRtcConnected: ["info", "webrtc.connected"],
  onWebRtcDisconnected: ["warn", "webrtc.disconnected"],
  onCredentialRenewed: ["info", "credential.renewed"],
  onCredentialExpiring: ["warn", "credential.expiring"],
  onMailboxBackpressure: ["warn", "mailbox.backpressure"],
};

/** How `onError` is logged: what comes and goes with the network, and is tried again, is only a warning. */
const loggedErrors: Readonly<Record<ErrorEvent["category"], LogLine>> = {
  handler_error: ["error", "node.error"],
  handler_crash: ["error", "node.error"],
  dead_letter: ["error", "node.error"],
  signaling_failure: ["warn", "node.error"],
  transport_failure: ["warn", "node.error"],
  delivery_uncertain: ["warn", "stream.delivery_uncertain"],
};

/** What kind of trouble `onError` tells of. */
const errorTroubles: Readonly<
  Record<ErrorEvent["category"], (facts: ErrorEvent["facts"]) => LogAttributes>
> = {
  handler_error: () => troubles.handlerError,
  handler_crash: () => troubles.handlerPanic,
  dead_letter: ({ category = "" }) => letterTrouble(category),
  signaling_failure: () => troubles.wayLost,
  transport_failure: () => troubles.wayLost,
  delivery_uncertain: () => troubles.wayLost,
};

/** Collaborators of {@link HookQueue}. */
export interface HookQueueComponents {
  /** Told side by side; usually one per service and the node's own. */
  readonly observers: readonly Hooks[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly context: () => NodeContext;
}

/** How many events may wait, and how long an observer may take for one. */
export type HookLimits = Pick<LifecycleOptions, "maxHookEvents" | "hookTimeoutMs">;

/** One ordered, bounded queue for all event hooks of a node: all observers are done with one event before the next. */
export class HookQueue {
  readonly #components: HookQueueComponents;
  readonly #limits: HookLimits;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #closed = new AbortController();
  #running: Promise<void> | undefined;
  #dropped = 0;

  constructor(components: HookQueueComponents, limits: HookLimits) {
    this.#components = components;
    this.#limits = limits;
  }

  /** Events that found the queue full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Logs the event and queues it for the observers that want it. Never throws, never waits. */
  emit<Name extends EventHook>(name: Name, event: HookPayload<Name>): void {
    const { observers, log } = this.#components;
    const [level, title] = lineOf(name, event);
    if (log.enabled(level)) log[level](title, attributes(event));
    const wanting = observers.filter((each) => each[name] !== undefined);
    if (wanting.length === 0 || this.#closed.signal.aborted) return;
    if (this.#waiting.length >= this.#limits.maxHookEvents) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(() => this.#tell(name, event, wanting));
    this.#running ??= this.#run();
  }

  /** Resolves when every event emitted so far has been told. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Tells nothing more; an observer that is running is no longer waited for. */
  close(): void {
    this.#waiting.length = 0;
    this.#closed.abort();
  }

  async #run(): Promise<void> {
    // A microtask, so that the event's source has gone on before an observer runs.
    await Promise.resolve();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await next();
    }
    this.#running = undefined;
  }

  async #tell<Name extends EventHook>(
    name: Name,
    event: HookPayload<Name>,
    observers: readonly Hooks[],
  ): Promise<void> {
    await Promise.all(observers.map((observer) => this.#tellOne(name, event, observer)));
  }

  async #tellOne<Name extends EventHook>(
    name: Name,
    event: HookPayload<Name>,
    observer: Hooks,
  ): Promise<void> {
    const { clock, context, log } = this.#components;
    const { signal } = this.#closed;
    try {
      const hook = observer[name] as (
        context: NodeContext,
        event: HookPayload<Name>,
      ) => void | Promise<void>;
      const work = hook.call(observer, context(), event);
      if (work === undefined) return;
      const limit = { what: name, ms: this.#limits.hookTimeoutMs, signal };
      await withinLimit(clock, limit, async () => work);
    } catch (error) {
      if (!signal.aborted) log.error("hook.failed", { hook: name, error });
    }
  }
}

function lineOf(name: EventHook, event: object): LogLine {
  return name === "onError" ? loggedErrors[(event as ErrorEvent).category] : logged[name];
}

/** The event as log attributes: ids as text, and no time, since every line has its own. */
function attributes(event: object): LogAttributes {
  if ("category" in event) return errorAttributes(event as ErrorEvent);
  const { peer, previousId, at: _at, ...rest } = event as Partial<AnyEvent>;
  const named = Object.entries(rest).map(([name, value]) => [fieldName(name), value]);
  return {
    ...Object.fromEntries(named),
    ...(peer === undefined ? {} : { peer: formatActrId(peer) }),
    ...(previousId === undefined ? {} : { previous_id: formatActrId(previousId) }),
  };
}

function errorAttributes({ error, category, facts }: ErrorEvent): LogAttributes {
  const { code: error_code } = error;
  return { ...facts, ...errorTroubles[category](facts), error_code, error };
}

/** `queueLength` is `queue_length` in the log. */
function fieldName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
