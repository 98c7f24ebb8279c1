import type { Connection } from "../actor.ts";
import type { Connections } from "./connections.ts";

/** How events are written for a client. */
export interface EventCodec {
  event(name: string, args: readonly unknown[]): string | Uint8Array;
}

/** The client's end of a connection. */
export interface ClientSink {
  readonly codec: EventCodec;
  send(frame: string | Uint8Array): void;
  /** Ends it; does nothing when it has ended. */
  close(reason: string): void;
}

/** What a connection begins with. */
export interface ConnectionParts {
  readonly id: string;
  readonly params: unknown;
  readonly state: unknown;
  readonly sink: ClientSink;
}

/** One client, as its actor sees it. */
export class ActorConnection implements Connection {
  readonly id: string;
  readonly params: unknown;
  readonly hibernates: boolean = false;
  readonly sink: ClientSink;
  state: unknown;
  readonly #connections: Connections;

  constructor({ id, params, state, sink }: ConnectionParts, connections: Connections) {
    this.id = id;
    this.params = params;
    this.state = state;
    this.sink = sink;
    this.#connections = connections;
  }

  send(name: string, payload: unknown): void {
    this.#connections.send([this], name, payload);
  }

  disconnect(reason = "disconnected by the actor"): Promise<void> {
    return this.#connections.disconnect(this, reason);
  }
}
