import type { Connection } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { RecordEntry } from "../../ports/store.ts";
import { actorSpace } from "../contents.ts";
import type { Instance } from "../instance.ts";
import type { StopReason } from "../lifecycle.ts";
import type { Client } from "./client.ts";
import { ActorConnection, type ConnectionParts } from "./connection.ts";
import { ConnectionEvents } from "./connection_events.ts";
import { withinHooks } from "./connection_hooks.ts";
import { connectionIdOf, deleteConnection, readConnection } from "./connection_row.ts";
import { type ConnectionInit, Entrance, type EntranceOwner } from "./entrance.ts";

/** The clients of one actor, and what becomes of them. */
export class Connections implements EntranceOwner {
  readonly events: ConnectionEvents;
  readonly #instance: Instance;
  readonly #space: string;
  readonly #all = new Map<string, ActorConnection>();
  readonly #entrance: Entrance;

  constructor(instance: Instance) {
    this.#instance = instance;
    this.#space = actorSpace(instance.id);
    this.events = new ConnectionEvents(instance);
    this.#entrance = new Entrance(instance, this);
  }

  get all(): ReadonlyMap<string, Connection> {
    return this.#all;
  }

  get size(): number {
    return this.#all.size;
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
    return this.#entrance.connect(init);
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

  /** Names of the events that a client subscribed to. */
  eventsOf({ id }: Connection): string[] {
    return [...(this.#all.get(id)?.events ?? [])];
  }

  /** What is stored of a connection has changed. */
  changed(conn: ActorConnection): void {
    if (conn.hibernates && this.#all.get(conn.id) === conn) this.#instance.saving.addLate(conn);
  }

  /** False when it is gone already. @throws what its other side throws: then it stays. */
  #end(conn: ActorConnection, reason: string): boolean {
    if (this.#all.get(conn.id) !== conn) return false;
    conn.close(reason);
    return this.forget(conn);
  }

  async #left(conn: ActorConnection): Promise<void> {
    const { kind, context } = this.#instance;
    const { onDisconnect } = kind.definition;
    if (onDisconnect === undefined) return this.#instance.activity();
    // A stop cuts clients off, and waits for this hook: it does not end it.
    const { signal } = new AbortController();
    try {
      await withinHooks(this.#instance, "onDisconnect", signal, async () =>
        onDisconnect(context, conn),
      );
    } catch (error) {
      this.#instance.report(error, "hook");
    }
  }

  add(init: ConnectionInit & { readonly state: unknown }): ActorConnection {
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
    this.events.resume(conn, events);
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

  /** False when it is gone already. */
  forget(conn: ActorConnection): boolean {
    if (this.#all.get(conn.id) !== conn) return false;
    const { components, saving, watch } = this.#instance;
    this.#all.delete(conn.id);
    watch?.changed("connections");
    this.events.forget(conn);
    if (!conn.hibernates) return true;
    components.clients.delete(conn.id);
    saving.add(deleteConnection(this.#space, conn.id));
    return true;
  }
}

function disconnectFailed(failed: readonly unknown[]): ActrError {
  const count = failed.length;
  const message = `${count} connections could not be ended; they stay until their other side ends them`;
  return new ActrError("connection.disconnect_failed", message, {
    details: { count, details: failed },
  });
}
