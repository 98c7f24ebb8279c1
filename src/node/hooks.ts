import type { NodeContext } from "../context.ts";
import type { EventHook, HookPayload, Hooks, PeerEvent } from "../hooks.ts";
import type { LogAttributes, Logger, LogLevel } from "../ports/logger.ts";
import { formatActrId } from "../protocol/ids.ts";

/** Level and event name under which each hook is logged, with or without an observer (`spec/node.md` §11.1). */
const logged: Readonly<Record<EventHook, readonly [LogLevel, string]>> = {
  onError: ["error", "node.error"],
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

/** Collaborators of {@link HookQueue}. */
export interface HookQueueComponents {
  /** In the order in which they are told; usually one per service and the node's own. */
  readonly observers: readonly Hooks[];
  readonly log: Logger;
  readonly context: () => NodeContext;
}

/** One ordered, bounded queue for all event hooks of a node: each observer is done with one event before the next. */
export class HookQueue {
  readonly #components: HookQueueComponents;
  readonly #limit: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  #running: Promise<void> | undefined;
  #dropped = 0;
  #closed = false;

  constructor(components: HookQueueComponents, limit: number) {
    this.#components = components;
    this.#limit = limit;
  }

  /** Events that found the queue full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Logs the event and queues it for the observers that want it. Never throws, never waits. */
  emit<Name extends EventHook>(name: Name, event: HookPayload<Name>): void {
    const { observers, log } = this.#components;
    const [level, title] = logged[name];
    if (log.enabled(level)) log[level](title, attributes(event));
    const wanting = observers.filter((each) => each[name] !== undefined);
    if (wanting.length === 0) return;
    if (this.#closed || this.#waiting.length >= this.#limit) {
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

  /** Tells nothing more; an observer that is running is not waited for. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
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
    for (const observer of observers) {
      try {
        const hook = observer[name] as (
          context: NodeContext,
          event: HookPayload<Name>,
        ) => void | Promise<void>;
        await hook.call(observer, this.#components.context(), event);
      } catch (error) {
        this.#components.log.error("hook.failed", { hook: name, error });
      }
    }
  }
}

/** The event as log attributes: ids as text. */
function attributes(event: object): LogAttributes {
  const { peer, ...rest } = event as Partial<PeerEvent>;
  return peer === undefined ? rest : { ...rest, peer: formatActrId(peer) };
}
