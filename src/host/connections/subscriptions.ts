import { ActrError } from "../../errors.ts";
import type { ActorConnection } from "./connection.ts";

/** Events that one client may subscribe to. */
const maxPerClient = 256;

/** Which clients of one actor subscribed to which of its events. */
export class Subscriptions {
  readonly #byEvent = new Map<string, Set<ActorConnection>>();

  /** @throws ActrError `actor.overloaded` when the client subscribed to too many. */
  add(conn: ActorConnection, event: string): void {
    if (conn.events.size >= maxPerClient && !conn.events.has(event)) {
      const message = `this client subscribed to ${conn.events.size} events; no more are allowed`;
      throw new ActrError("actor.overloaded", message);
    }
    conn.events.add(event);
    const subscribers = this.#byEvent.get(event);
    if (subscribers === undefined) this.#byEvent.set(event, new Set([conn]));
    else subscribers.add(conn);
  }

  delete(conn: ActorConnection, event: string): void {
    conn.events.delete(event);
    const subscribers = this.#byEvent.get(event);
    subscribers?.delete(conn);
    if (subscribers?.size === 0) this.#byEvent.delete(event);
  }

  /** Ends all of a client. */
  clear(conn: ActorConnection): void {
    for (const event of conn.events) this.delete(conn, event);
  }

  /** Who subscribed to an event. */
  of(event: string): ReadonlySet<ActorConnection> | undefined {
    return this.#byEvent.get(event);
  }
}
