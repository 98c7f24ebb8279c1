import { ActrError } from "../../errors.ts";
import type { Instance } from "../instance.ts";
import { callback } from "../turns/callback.ts";
import type { ActorConnection } from "./connection.ts";
import { framesFor } from "./event_frames.ts";
import { Subscriptions } from "./subscriptions.ts";

/** The events of one actor: which of its clients hear of them, and what they hear. */
export class ConnectionEvents {
  readonly #instance: Instance;
  readonly #subscriptions = new Subscriptions();

  constructor(instance: Instance) {
    this.#instance = instance;
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
    const limit = { name: "canSubscribe", ms, signal: stopping };
    const allowed = callback(components.clock, limit, () => canSubscribe(context, conn));
    if (!(allowed instanceof Promise)) return this.#subscribe(conn, event, allowed);
    work.track("connection", allowed);
    return allowed.then((given) => this.#subscribe(conn, event, given));
  }

  unsubscribe(conn: ActorConnection, event: string): void {
    this.#subscriptions.delete(conn, event);
    this.#instance.connections.changed(conn);
  }

  /** Takes the subscriptions of a client that stayed. */
  resume(conn: ActorConnection, events: readonly string[]): void {
    for (const event of events) this.#subscriptions.add(conn, event);
  }

  /** Ends those of a client that has gone. */
  forget(conn: ActorConnection): void {
    this.#subscriptions.clear(conn);
  }

  /** Sends an event to whoever subscribed, when what the actor knows is on disk. @throws as {@link ConnectionEvents.send}. */
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

  #subscribe(conn: ActorConnection, event: string, allowed: boolean): void {
    if (!allowed) throw new ActrError("auth.forbidden", `event ${event} is not for this client`);
    const { connections } = this.#instance;
    if (connections.get(conn.id) !== conn) {
      throw new ActrError("connection.not_found", "the client is gone");
    }
    this.#subscriptions.add(conn, event);
    connections.changed(conn);
  }
}
