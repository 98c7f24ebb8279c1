import type { Connection } from "../../actor.ts";
import type { StoreChange } from "../../ports/store.ts";
import type { LateChange } from "../state/saving.ts";
import { TrackedState } from "../state/tracked_state.ts";
import type { Client } from "./client.ts";
import { putConnection } from "./connection_row.ts";
import type { Connections } from "./connections.ts";

/** What a connection begins with. */
export interface ConnectionParts {
  readonly id: string;
  readonly params: unknown;
  /** Data, which is not checked. */
  readonly state: unknown;
  /** Whom it hibernates with; none for one that lasts as long as its request. */
  readonly client: Client | undefined;
  /** Called when one without a client ends, with the reason. */
  readonly onEnd?: ((reason: string) => void) | undefined;
}

/** One client, as its actor sees it. */
export class ActorConnection implements Connection, LateChange {
  readonly id: string;
  readonly params: unknown;
  readonly client: Client | undefined;
  readonly #onEnd: ((reason: string) => void) | undefined;
  /** Names of what it subscribed to. */
  readonly events: Set<string> = new Set();
  readonly #connections: Connections;
  readonly #initial: unknown;
  /** Made when it is first asked for: few that last as long as a request ever are. */
  #tracked: TrackedState | undefined;

  constructor({ id, params, state, client, onEnd }: ConnectionParts, connections: Connections) {
    this.id = id;
    this.params = params;
    this.client = client;
    this.#onEnd = onEnd;
    this.#initial = state;
    this.#connections = connections;
  }

  get hibernates(): boolean {
    return this.client !== undefined;
  }

  get state(): unknown {
    return this.#state.value;
  }

  set state(value: unknown) {
    this.#state.value = value;
  }

  /** Its row, as it is now; none when it has ended. @throws ActrError `actor.unsupported_value`. */
  change(space: string): StoreChange | undefined {
    if (this.#connections.get(this.id) !== this) return undefined;
    const { id, params, events } = this;
    const state = this.#tracked === undefined ? this.#initial : this.#tracked.raw;
    return putConnection(space, { id, params, state, events: [...events] });
  }

  send(name: string, payload: unknown): void {
    this.#connections.events.send([this], name, payload);
  }

  /** Its other side is told that it has ended. */
  close(reason: string): void {
    this.client?.sink.close(reason);
    this.#onEnd?.(reason);
  }

  disconnect(reason = "disconnected by the actor"): Promise<void> {
    return this.#connections.disconnect(this, reason);
  }

  get #state(): TrackedState {
    this.#tracked ??= new TrackedState(this.#initial, () => this.#connections.changed(this));
    return this.#tracked;
  }
}
