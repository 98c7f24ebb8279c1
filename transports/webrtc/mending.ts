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
export interface MendingParts extends Omit<MenderParts, "bell" | "completed"> {
  /** Ends the connection. */
  readonly giveUp: (reason: string) => void;
}

/** Watches a connection that was up: mends it when it is lost or in doubt, and gives it up in the end. */
export class Mending {
  readonly #parts: MendingParts;
  readonly #role: "offerer" | "answerer";
  readonly #mender: Mender;
  readonly #bell: Bell;
  #running: Promise<boolean> | undefined;
  #restarts = 0;
  /** Whether descriptions have been exchanged since the mender acted. */
  #exchanged = false;
  /** Since when it has been lost, monotonic milliseconds. */
  #lostAt: number | undefined;
  #reaper: Timer | undefined;

  constructor(parts: MendingParts, role: "offerer" | "answerer") {
    this.#parts = parts;
    this.#role = role;
    this.#bell = new Bell(parts.clock);
    const mended = {
      ...parts,
      bell: this.#bell,
      completed: () => this.#exchanged && parts.connected(),
      act: () => this.#act(),
    };
    this.#mender = role === "offerer" ? new RestartOffers(mended) : new RestartRequests(mended);
  }

  /** How often a restart was offered, or asked for. */
  get restarts(): number {
    return this.#restarts;
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
  }

  /** Descriptions of a restart have been exchanged. */
  exchanged(): void {
    this.#exchanged = true;
    this.#bell.ring();
  }

  /** The peer asks for a restart. */
  requested(): void {
    void this.#mend(true);
  }

  /** The connection has ended. */
  end(): void {
    this.#reaper?.cancel();
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

  async #mend(byPeer = false): Promise<void> {
    const { clock, giveUp } = this.#parts;
    const offers = this.#role === "offerer";
    const lostMs = clock.monotonic() - (this.#lostAt ?? clock.monotonic());
    if (!offers && lostMs > staleMs) return giveUp("lost for too long to be mended");
    // The side that answered has nothing left to do but wait for the other.
    if (!(await this.#run(byPeer)) && offers) giveUp("ice restart failed");
  }

  /** Begins to mend, or joins what is under way; resolves with whether the connection works then. */
  #run(byPeer: boolean): Promise<boolean> {
    this.#mender.hurry?.(byPeer);
    this.#bell.ring();
    this.#running ??= this.#mender.run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  #act(): Promise<void> {
    this.#exchanged = false;
    this.#restarts += 1;
    return this.#parts.act();
  }
}
