import type { Clock, Timer } from "../../src/ports/clock.ts";
import type { PeerConnectionState } from "../../src/ports/peer_connections.ts";

/**
 * How long a connection may be disconnected before it counts as failed, milliseconds. wrtc says so itself after 10 s, but
 * not always: with five peers killed at once on a busy machine, one stayed disconnected for 50 s.
 */
const disconnectedLimitMs = 12_000;

/**
 * Time between two looks at a connection that is lost, milliseconds. wrtc may tell of a change before it shows it, and not
 * again: two peers that got another path were both connected for good, and one of them never learned of it.
 */
const lookMs = 100;

/** What a {@link ConnectionState} works with. */
export interface ConnectionStateParts {
  readonly clock: Clock;
  /** What the stack says now; undefined where its events say it all. */
  readonly seen: () => PeerConnectionState | undefined;
  readonly tell: (state: PeerConnectionState) => void;
}

/** The state of a connection: what the stack repeats is dropped, and what it leaves out is found. */
export class ConnectionState {
  readonly #parts: ConnectionStateParts;
  #current: PeerConnectionState = "new";
  /** Run while the connection is lost. */
  #patience: Timer | undefined;
  #look: Timer | undefined;

  constructor(parts: ConnectionStateParts) {
    this.#parts = parts;
  }

  get current(): PeerConnectionState {
    return this.#current;
  }

  /** The stack says that this is the state now; after `closed` nothing counts. */
  enter(state: PeerConnectionState): void {
    if (this.#current === "closed" || this.#current === state) return;
    // What was given up is not half lost again.
    if (this.#current === "failed" && state === "disconnected") return;
    this.#patience?.cancel();
    this.#look?.cancel();
    this.#current = state;
    if (state === "disconnected") this.#failLater();
    if (state === "disconnected" || state === "failed") this.#lookLater();
    this.#parts.tell(state);
  }

  #failLater(): void {
    const { clock } = this.#parts;
    this.#patience = clock.timer(clock.now() + disconnectedLimitMs, () => this.enter("failed"));
  }

  #lookLater(): void {
    const { clock, seen } = this.#parts;
    if (seen() === undefined) return;
    this.#look = clock.timer(clock.now() + lookMs, () => {
      if (seen() === "connected") this.enter("connected");
      else this.#lookLater();
    });
  }
}
