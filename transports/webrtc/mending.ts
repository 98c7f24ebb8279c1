import type { Timer } from "../../src/ports/clock.ts";
import type { PeerConnectionState } from "../../src/ports/peer_connections.ts";
import { Bell } from "./bell.ts";
import type { Mender, MenderParts } from "./mender.ts";
import { RestartOffers } from "./restart_offers.ts";
import { RestartRequests } from "./restart_requests.ts";

/** How long a connection may be disconnected, or failed, before it is given up, milliseconds (`spec/transport.md` §6.8). */
const disconnectedMs = 90_000;
const failedMs = 60_000;
/** Older losses are not worth a request by the side that answered, milliseconds. */
const staleMs = 60_000;

/** What {@link Mending} works with. */
export interface MendingParts extends MenderParts {
  /** Ends the connection. */
  readonly giveUp: (reason: string) => void;
}

/** Watches a connection that was up: mends it when it is lost or in doubt, and gives it up in the end. */
export class Mending {
  readonly #parts: MendingParts;
  readonly #role: "offerer" | "answerer";
  readonly #mender: Mender;
  readonly #bell: Bell;
  /** Since when it has been lost, monotonic milliseconds. */
  #lostAt: number | undefined;
  #reaper: Timer | undefined;

  constructor(parts: MendingParts, role: "offerer" | "answerer") {
    this.#parts = parts;
    this.#role = role;
    this.#mender = role === "offerer" ? new RestartOffers(parts) : new RestartRequests(parts);
    this.#bell = new Bell(parts.clock);
  }

  /** To be called with each state of the connection. */
  state(state: PeerConnectionState): void {
    if (state === "connected") this.#found();
    if (state === "disconnected") this.#lost(disconnectedMs);
    if (state === "failed") this.#lost(failedMs);
    this.changed();
  }

  /** The network may be another one: whether the connection works, in the end. */
  async recover(): Promise<boolean> {
    await this.#mend();
    return await this.#bell.until(this.#parts.connected, disconnectedMs);
  }

  /** The state of the connection, or of signaling, has changed. */
  changed(): void {
    this.#bell.ring();
    this.#mender.changed();
  }

  /** Descriptions of a restart have been exchanged. */
  exchanged(): void {
    this.#mender.exchanged();
  }

  /** The peer asks for a restart. */
  requested(): void {
    this.#mender.requested();
    void this.#mend();
  }

  /** The connection has ended. */
  end(): void {
    this.#reaper?.cancel();
    this.#mender.end();
    this.#bell.silence();
  }

  #found(): void {
    this.#lostAt = undefined;
    this.#reaper?.cancel();
  }

  #lost(limitMs: number): void {
    const { clock, giveUp } = this.#parts;
    this.#lostAt ??= clock.monotonic();
    this.#reaper?.cancel();
    this.#reaper = clock.timer(clock.now() + limitMs, () => giveUp(`lost for ${limitMs} ms`));
    void this.#mend();
  }

  async #mend(): Promise<void> {
    const { clock, giveUp } = this.#parts;
    const offers = this.#role === "offerer";
    const lostMs = clock.monotonic() - (this.#lostAt ?? clock.monotonic());
    if (!offers && lostMs > staleMs) return giveUp("lost for too long to be mended");
    // The side that answered has nothing left to do but wait for the other.
    if (!(await this.#mender.mend()) && offers) giveUp("no ICE restart succeeded");
  }
}
