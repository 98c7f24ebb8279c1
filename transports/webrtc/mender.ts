import type { Clock } from "../../src/ports/clock.ts";
import type { Bell } from "./bell.ts";

/** What a mender acts on. */
export interface MenderParts {
  readonly clock: Clock;
  /** Rings with every change of what follows; silenced when the connection has ended. */
  readonly bell: Bell;
  /** Whether signaling is connected. */
  readonly signaling: () => boolean;
  /** Whether the connection says that it is up. */
  readonly connected: () => boolean;
  /** Whether it does, and descriptions of a restart have been exchanged since the last {@link MenderParts.act}. */
  readonly completed: () => boolean;
  /** Sends a restart offer, or asks the peer for one, as the role has it. May reject. */
  readonly act: () => Promise<void>;
}

/** Makes a connection work again; the side that offered restarts ICE, the other asks it to. */
export interface Mender {
  /** Does what it can, once at a time; resolves with whether the connection works then. */
  run(): Promise<boolean>;
  /** It is wanted, now: what a run waits for is given up at the next ring, also an answer when the peer wants it. */
  hurry?(byPeer: boolean): void;
}
