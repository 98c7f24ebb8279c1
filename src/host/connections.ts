import type { Connection } from "../actor.ts";
import { ActrError } from "../errors.ts";
import type { RecordEntry } from "../ports/store.ts";
import { callback } from "./callback.ts";
import { checkedBy } from "./check.ts";
import type { Client } from "./client.ts";
import { ActorConnection, type ConnectionParts } from "./connection.ts";
import { connectionIdOf, deleteConnection, readConnection } from "./connection_row.ts";
import { actorSpace } from "./contents.ts";
import { framesFor } from "./event_frames.ts";
import { valueFor } from "./initial.ts";
import type { Instance } from "./instance.ts";
import type { StopReason } from "./lifecycle.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Who wants to be connected. */
export interface ConnectionInit {
  readonly params: unknown;
  /** A client that hears of events, and hibernates with its actor; none for one that sends one request. */
  readonly client?: Client;
  /** Called when one without a client ends, with the reason. */
  readonly onEnd?: (reason: string) => void;
}

/** A client that is being let in. */
interface Entry {
  conn: ActorConnection | undefined;
  /** Its time is up: it is not let in any more. */
  isOver: boolean;
}

/** The clients of one actor, and what becomes of them. */
export class Connections {
  readonly #instance: Instance;
  readonly #space: string;
  readonly #all = new Map<string, ActorConnection>();
  readonly #subscriptions = new Subscriptions();
  /** Clients that are being let in. */
  #entering = 0;

  constructor(instance: Instance) {
    this.#instance = instance;
    this.#space = actorSpace(instance.id);
  }

  get all(): ReadonlyMap<string, Connection> {
    return this.#all;
  }

  /** Whether somebody is connected whom sleep would cut off. */
  get keepsAwake(): boolean {
    for (const { hibernates } of this.#all.values()) if (!hibernates) return true;
    return false;
  }

  get(id: string): ActorConnection | undefined {
    return this.#all.get(id);
  }

  /** Takes what is stored: who is there still is connected as before, without a hook; who is not is forgotten. */
  restore(entries: readonly RecordEntry[]): void {
    const { components, saving, log } = this.#instance;
    for (const entry of entries) {
      const id = connectionIdOf(entry);
      const client = components.clients.get(id);
      log.debug("actor.connection_restored", { conn_id: id, live: client !== undefined });
      if (client === undefined) saving.add(deleteConnection(this.#space, id));
      else this.#restore(entry, client);
    }
  }

  /** Clients that waited for the start are served. */
  begin(): void {
    for (const { client } of [...this.#all.values()]) client?.advance();
  }

  /**
   * Lets a client in: its params are checked, `onBeforeConnect` may refuse it, its state is made; nobody sees it before.
   * `onConnect` may refuse it still. @throws ActrError what a hook threw; `actor.callback_timed_out`, `actor.overloaded`,
   * `actor.stopping`.
   */
  connect(init: ConnectionInit): ActorConnection | Promise<ActorConnection> {
    const { kind, saving } = this.#instance;
    this.#requireRoom();
    const { params, onBeforeConnect, connState, onConnect } = kind.definition;
    if (params ?? onBeforeConnect ?? connState ?? onConnect) return this.#greet(init);
    const conn = this.#add({ ...init, state: undefined });
    this.#welcome(conn);
    if (conn.hibernates) saving.save();
    return conn;
  }

  /** Lets a client in that sends one request, and hears of no events. @throws as {@link Connections.connect}. */
  visit(params: unknown): ActorConnection | Promise<ActorConnection> {
    return this.connect({ params });
  }

  /** Ends a connection, once: it is gone before `onDisconnect` runs. Rejects with why its other side cannot be told: then it stays. */
  async disconnect(conn: ActorConnection, reason: string): Promise<void> {
    if (this.#end(conn, reason)) await this.#left(conn);
  }

  /** Cuts off whom a stop does; their hooks are work that it waits for. Those who cannot be told stay, and are reported. */
  endFor(reason: StopReason): void {
    const code = reason === "sleep" ? "actor.stopping" : "actor.destroying";
    const failed: { readonly conn_id: string; readonly error: string }[] = [];
    for (const conn of [...this.#all.values()]) {
      if (reason === "sleep" && conn.hibernates) continue;
      try {
        if (this.#end(conn, code)) void this.#left(conn);
      } catch (error) {
        failed.push({ conn_id: conn.id, error: ActrError.from(error).message });
      }
    }
    if (failed.length > 0) this.#instance.report(disconnectFailed(failed), "hook");
  }

  /** The actor sleeps, and its clients stay. */
  hibernate(): void {
    for (const { client } of [...this.#all.values()]) client?.detach();
  }

  /** Cuts everybody off at once: what they know of the actor cannot be trusted. */
  cut(): void {
    for (const conn of this.#all.values()) {
      this.#instance.components.clients.delete(conn.id);
      try {
        conn.close("actor.restarting");
      } catch (error) {
        this.#instance.log.warn("actor.disconnect_failed", { conn_id: conn.id, error });
      }
    }
    this.#all.clear();
  }

  /**
   * Sends an event to a client from now on; from when its definition has allowed it, where that takes time.
   * @throws ActrError `auth.forbidden`, `connection.not_found`, `actor.overloaded`, `actor.callback_timed_out`.
   */
  subscribe(conn: ActorConnection, event: string): void | Promise<void> {
    const { kind, context, components, stopping, work } = this.#instance;
    const canSubscribe = kind.definition.events?.[event]?.canSubscribe;
    if (canSubscribe === undefined) return this.#subscribe(conn, event, true);
    const ms = kind.options.hookTimeoutMs;
    const limit = { name: "canSubscribe", ms, signal: stopping.signal };
    const allowed = callback(components.clock, limit, () => canSubscribe(context, conn));
    if (!(allowed instanceof Promise)) return this.#subscribe(conn, event, allowed);
    work.track("connection", allowed);
    return allowed.then((given) => this.#subscribe(conn, event, given));
  }

  unsubscribe(conn: ActorConnection, event: string): void {
    this.#subscriptions.delete(conn, event);
    this.changed(conn);
  }

  /** Names of the events that a client subscribed to. */
  eventsOf({ id }: Connection): string[] {
    return [...(this.#all.get(id)?.events ?? [])];
  }

  /** Sends an event to whoever subscribed, when what the actor knows is on disk. @throws as {@link Connections.send}. */
  broadcast(event: string, payload: unknown): void {
    const subscribers = this.#subscriptions.of(event);
    if (subscribers !== undefined) this.send([...subscribers], event, payload);
  }

  /** Sends an event to these clients, encoded once for each encoding. @throws ActrError `message.outgoing_too_long`. */
  send(conns: readonly ActorConnection[], event: string, payload: unknown): void {
    const { kind, saving } = this.#instance;
    const sinks = conns.flatMap(({ client }) => client?.sink ?? []);
    const frames = framesFor(sinks, event, payload, kind.options.maxOutgoingBytes);
    saving.put({
      emit() {
        for (const sink of sinks) sink.send(frames.get(sink.codec) ?? "");
      },
      drop() {}, // Nobody is told what never became true.
    });
  }

  /** What is stored of a connection has changed. */
  changed(conn: ActorConnection): void {
    if (conn.hibernates && this.#all.get(conn.id) === conn) this.#instance.saving.addLate(conn);
  }

  /** False when it is gone already. @throws what its other side throws: then it stays. */
  #end(conn: ActorConnection, reason: string): boolean {
    if (this.#all.get(conn.id) !== conn) return false;
    conn.close(reason);
    return this.#forget(conn);
  }

  async #left(conn: ActorConnection): Promise<void> {
    const { kind, context } = this.#instance;
    const { onDisconnect } = kind.definition;
    if (onDisconnect === undefined) return this.#instance.activity();
    // A stop cuts clients off, and waits for this hook: it does not end it.
    const { signal } = new AbortController();
    try {
      await this.#within("onDisconnect", signal, async () => onDisconnect(context, conn));
    } catch (error) {
      this.#instance.report(error, "hook");
    }
  }

  async #greet(init: ConnectionInit): Promise<ActorConnection> {
    const { signal } = this.#instance.stopping;
    const entry: Entry = { conn: undefined, isOver: false };
    this.#entering += 1;
    try {
      return await this.#within("connecting", signal, () => this.#enter(init, entry));
    } catch (error) {
      entry.isOver = true;
      if (entry.conn !== undefined) this.#forget(entry.conn);
      throw signal.aborted ? stopping() : error;
    } finally {
      this.#entering -= 1;
    }
  }

  async #enter({ params, ...init }: ConnectionInit, entry: Entry): Promise<ActorConnection> {
    const { context, kind } = this.#instance;
    const { params: schema, onBeforeConnect, connState, onConnect } = kind.definition;
    const checked = await checkedBy(schema, params, "actor.invalid_request");
    await onBeforeConnect?.(context, checked);
    const state = await valueFor(connState, checked, context);
    // Nobody waits for it any more.
    if (entry.isOver) throw stopping();
    const conn = this.#add({ ...init, params: checked, state });
    entry.conn = conn;
    await onConnect?.(context, conn);
    if (!entry.isOver) this.#welcome(conn);
    return conn;
  }

  #add(init: ConnectionInit & { readonly state: unknown }): ActorConnection {
    const { params, state, client, onEnd } = init;
    const { components, saving } = this.#instance;
    const id = components.random.uuid();
    const conn = this.#hold({ id, params, state, client, onEnd });
    if (client === undefined) return conn;
    const row = conn.change(this.#space);
    if (row !== undefined) saving.add(row);
    return conn;
  }

  #restore(entry: RecordEntry, client: Client): void {
    const { events, ...row } = readConnection(entry);
    const conn = this.#hold({ ...row, client });
    for (const event of events) this.#subscriptions.add(conn, event);
  }

  #hold(parts: ConnectionParts): ActorConnection {
    const conn = new ActorConnection(parts, this);
    this.#all.set(conn.id, conn);
    this.#instance.watch?.changed("connections");
    if (parts.client === undefined) return conn;
    this.#instance.components.clients.add(conn.id, parts.client);
    parts.client.attach(this.#instance, conn);
    return conn;
  }

  /** Tells the client that it is connected, once that is on disk. */
  #welcome(conn: ActorConnection): void {
    const instance = this.#instance;
    const { client } = conn;
    if (client === undefined) return;
    instance.saving.put({ emit: () => client.sink.opened(conn, instance), drop() {} });
  }

  #subscribe(conn: ActorConnection, event: string, allowed: boolean): void {
    if (!allowed) throw new ActrError("auth.forbidden", `event ${event} is not for this client`);
    if (!this.#all.has(conn.id)) throw new ActrError("connection.not_found", "the client is gone");
    this.#subscriptions.add(conn, event);
    this.changed(conn);
  }

  /** False when it is gone already. */
  #forget(conn: ActorConnection): boolean {
    if (this.#all.get(conn.id) !== conn) return false;
    const { components, saving, watch } = this.#instance;
    this.#all.delete(conn.id);
    watch?.changed("connections");
    this.#subscriptions.clear(conn);
    if (!conn.hibernates) return true;
    components.clients.delete(conn.id);
    saving.add(deleteConnection(this.#space, conn.id));
    return true;
  }

  /** @throws ActrError `actor.stopping`, `actor.destroying`, `actor.overloaded`. */
  #requireRoom(): void {
    const { kind, serves } = this.#instance;
    if (!serves) throw stopping();
    const count = this.#all.size + this.#entering;
    if (count < kind.options.maxConnections) return;
    const message = `${count} clients are connected to this actor; connect again later`;
    throw new ActrError("actor.overloaded", message, {
      retryAfterMs: 1000,
      details: { channel: "connections", capacity: kind.options.maxConnections },
    });
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

function stopping(): ActrError {
  return new ActrError("actor.stopping", "the actor is stopping; connect again");
}

function disconnectFailed(failed: readonly unknown[]): ActrError {
  const count = failed.length;
  const message = `${count} connections could not be ended; they stay until their other side ends them`;
  return new ActrError("connection.disconnect_failed", message, {
    details: { count, details: failed },
  });
}
