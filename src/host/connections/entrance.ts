import { ActrError } from "../../errors.ts";
import { checkedBy } from "../check.ts";
import type { Instance } from "../instance.ts";
import { valueFor } from "../state/initial.ts";
import type { Client } from "./client.ts";
import type { ActorConnection } from "./connection.ts";
import { withinHooks } from "./connection_hooks.ts";

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

/** Where those are kept who were let in. */
export interface EntranceOwner {
  readonly size: number;
  add(init: ConnectionInit & { readonly state: unknown }): ActorConnection;
  /** False when it is gone already. */
  forget(conn: ActorConnection): boolean;
}

/** The way of clients into one actor, past its hooks. */
export class Entrance {
  readonly #instance: Instance;
  readonly #owner: EntranceOwner;
  /** Clients that are being let in. */
  #entering = 0;

  constructor(instance: Instance, owner: EntranceOwner) {
    this.#instance = instance;
    this.#owner = owner;
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
    const conn = this.#owner.add({ ...init, state: undefined });
    this.#welcome(conn);
    if (conn.hibernates) saving.save();
    return conn;
  }

  async #greet(init: ConnectionInit): Promise<ActorConnection> {
    const signal = this.#instance.stopping;
    const entry: Entry = { conn: undefined, isOver: false };
    this.#entering += 1;
    try {
      return await withinHooks(this.#instance, "connecting", signal, () =>
        this.#enter(init, entry),
      );
    } catch (error) {
      entry.isOver = true;
      if (entry.conn !== undefined) this.#owner.forget(entry.conn);
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
    const conn = this.#owner.add({ ...init, params: checked, state });
    entry.conn = conn;
    await onConnect?.(context, conn);
    if (!entry.isOver) this.#welcome(conn);
    return conn;
  }

  /** Tells the client that it is connected, once that is on disk. */
  #welcome(conn: ActorConnection): void {
    const instance = this.#instance;
    const { client } = conn;
    if (client === undefined) return;
    instance.saving.put({ emit: () => client.sink.opened(conn, instance), drop() {} });
  }

  /** @throws ActrError `actor.stopping`, `actor.destroying`, `actor.overloaded`. */
  #requireRoom(): void {
    const { kind, serves } = this.#instance;
    if (!serves) throw stopping();
    const count = this.#owner.size + this.#entering;
    if (count < kind.options.maxConnections) return;
    const message = `${count} clients are connected to this actor; connect again later`;
    throw new ActrError("actor.overloaded", message, {
      retryAfterMs: 1000,
      details: { channel: "connections", capacity: kind.options.maxConnections },
    });
  }
}

function stopping(): ActrError {
  return new ActrError("actor.stopping", "the actor is stopping; connect again");
}
