import type { Clock } from "../../src/ports/clock.ts";

/** What a mender acts on. */
export interface MenderParts {
  readonly clock: Clock;
  /** Whether signaling is connected. */
  readonly signaling: () => boolean;
  /** Whether the connection says that it is up. */
  readonly connected: () => boolean;
  /** Sends a restart offer, or asks the peer for one, as the role has it. May reject. */
  readonly act: () => Promise<void>;
}

/** Makes a connection work again; the side that offered restarts ICE, the other asks it to. */
export interface Mender {
  /** Begins, or joins what is under way; resolves with whether the connection works then. */
  mend(): Promise<boolean>;
  /** The state of the connection, or of signaling, has changed. */
  changed(): void;
  /** Descriptions of a restart have been exchanged. */
  exchanged(): void;
  /** The peer asks for a restart: what is waited for is given up for it at the {@link Mender.mend} that follows. */
  requested(): void;
  /** The connection has ended. */
  end(): void;
}
