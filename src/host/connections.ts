import type { Connection } from "../actor.ts";
import { ActrError } from "../errors.ts";
import { callback } from "./callback.ts";
import { checkedBy } from "./check.ts";
import { ActorConnection, type ClientSink } from "./connection.ts";
import { valueFor } from "./initial.ts";
import type { Instance } from "./instance.ts";
import type { StopReason } from "./lifecycle.ts";

/** A client that wants to be connected. */
export interface ClientInit {
  readonly params: unknown;
  readonly sink: ClientSink;
}

/** The end of a client that takes no events. */
const noSink: ClientSink = { codec: { event: () => "" }, send() {}, close() {} };

/** The clients of one actor, and what each of them subscribed to. */
export class Connections {
  readonly #instance: Instance;
  readonly #all = new Map<string, ActorConnection>();
  readonly #subscribers = new Map<string, Set<ActorConnection>>();

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  get all(): ReadonlyMap<string, Connection> {
    return this.#all;
  }

  /** Whether somebody is connected whom sleep would cut off. */
  get keepsAwake(): boolean {
    for (const conn of this.#all.values()) if (!conn.hibernates) return true;
    return false;
  }

  /** Those that a stop cuts off. */
  closable(reason: StopReason): ActorConnection[] {
    const all = [...this.#all.values()];
    return reason === "destroy" ? all : all.filter(({ hibernates }) => !hibernates);
  }

  get(id: string): ActorConnection | undefined {
    return this.#all.get(id);
  }

  /**
   * Lets a client in: its params are checked, `onBeforeConnect` may refuse it, its state is made; nobody sees it before.
   * `onConnect` may refuse it still. @throws ActrError what a hook threw; `actor.callback_timed_out`.
   */
  async connect({ params, sink }: ClientInit): Promise<ActorConnection> {
    const { kind, context, components } = this.#instance;
    const id = components.random.uuid();
    const { definition } = kind;
    const { signal } = this.#instance.stopping;
    return await this.#within("connecting", signal, async () => {
      const checked = await checkedBy(definition.params, params, "actor.invalid_request");
      await definition.onBeforeConnect?.(context, checked);
      const state = await valueFor(definition.connState, checked, context);
      const conn = new ActorConnection({ id, params: checked, state, sink }, this);
      this.#all.set(id, conn);
      this.#instance.watch?.changed("connections");
      try {
        await definition.onConnect?.(context, conn);
      } catch (error) {
        this.#forget(conn);
        throw error;
      }
      return conn;
    });
  }

  /** Lets a client in that sends one request and hears of no events. @throws as {@link Connections.connect}. */
  async visit(params: unknown): Promise<ActorConnection> {
    return await this.connect({ params, sink: noSink });
  }

  /** Ends a connection, once: it is gone before `onDisconnect` runs. */
  async disconnect(conn: ActorConnection, reason: string): Promise<void> {
    if (!this.#all.has(conn.id)) return;
    this.#forget(conn);
    conn.sink.close(reason);
    const { kind, context } = this.#instance;
    const { onDisconnect } = kind.definition;
    if (onDisconnect === undefined) return this.#instance.rest();
    // A stop cuts clients off, and waits for this hook: it does not end it.
    const { signal } = new AbortController();
    try {
      await this.#within("onDisconnect", signal, async () => onDisconnect(context, conn));
    } catch (error) {
      this.#instance.report(error, "hook");
    }
  }

  /**
   * Sends an event to a client from now on; from when its definition has allowed it, where that takes time.
   * @throws ActrError `auth.forbidden`, `connection.not_found`.
   */
  subscribe(conn: ActorConnection, event: string): void | Promise<void> {
    const { kind, context } = this.#instance;
    const allowed = kind.definition.events?.[event]?.canSubscribe?.(context, conn) ?? true;
    if (typeof allowed === "boolean") return this.#subscribe(conn, event, allowed);
    return allowed.then((given: boolean) => this.#subscribe(conn, event, given));
  }

  #subscribe(conn: ActorConnection, event: string, allowed: boolean): void {
    if (!allowed) throw new ActrError("auth.forbidden", `event ${event} is not for this client`);
    if (!this.#all.has(conn.id)) throw new ActrError("connection.not_found", "the client is gone");
    const subscribers = this.#subscribers.get(event);
    if (subscribers === undefined) this.#subscribers.set(event, new Set([conn]));
    else subscribers.add(conn);
  }

  unsubscribe(conn: ActorConnection, event: string): void {
    const subscribers = this.#subscribers.get(event);
    subscribers?.delete(conn);
    if (subscribers?.size === 0) this.#subscribers.delete(event);
  }

  /** Names of the events that a client subscribed to. */
  eventsOf({ id }: Connection): string[] {
    const conn = this.#all.get(id);
    if (conn === undefined) return [];
    return [...this.#subscribers].filter(([, who]) => who.has(conn)).map(([event]) => event);
  }

  /** Sends an event to whoever subscribed, encoded once for each encoding, when what the actor knows is on disk. */
  broadcast(event: string, payload: unknown): void {
    const subscribers = this.#subscribers.get(event);
    if (subscribers !== undefined) this.send([...subscribers], event, payload);
  }

  /** Sends an event to these clients. */
  send(conns: readonly ActorConnection[], event: string, payload: unknown): void {
    const frames = new Map<unknown, string | Uint8Array>();
    for (const { sink } of conns) {
      if (!frames.has(sink.codec)) frames.set(sink.codec, sink.codec.event(event, [payload]));
    }
    this.#instance.saving.put({
      emit() {
        for (const { sink } of conns) {
          const frame = frames.get(sink.codec);
          if (frame !== undefined) sink.send(frame);
        }
      },
      drop() {}, // Nobody is told what never became true.
    });
  }

  #forget(conn: ActorConnection): void {
    this.#all.delete(conn.id);
    this.#instance.watch?.changed("connections");
    for (const event of [...this.#subscribers.keys()]) this.unsubscribe(conn, event);
  }

  /** Runs hooks of a connection: they keep the actor awake, and have their deadline. */
  async #within<T>(name: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    const { components, kind, work, saving } = this.#instance;
    const limit = { name, ms: 2 * kind.options.hookTimeoutMs, signal };
    const running = Promise.resolve(callback(components.clock, limit, run));
    work.track("connection", running);
    return await running.finally(() => saving.save());
  }
}
