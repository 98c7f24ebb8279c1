import { ActrError } from "../../src/errors.ts";
import type { Mender, MenderParts } from "./mender.ts";

/** Offers of one restart, the time for all of them, and for the completion of one, milliseconds (`spec/transport.md` §6.8). */
const maxOffers = 10;
const totalMs = 60_000;
const completionMs = 6_000;
/** How long signaling may be away, milliseconds: a connection that is lost is given up meanwhile. */
const offlineMs = 90_000;
/** Shortest time between two offers, milliseconds. */
const spacingMs = 2_000;
/** After each offer that led nowhere, milliseconds. */
const pausesMs: readonly number[] = [1_000, 2_000, 4_000];
const longestPauseMs = 5_000;

/** The side that offered: offers until one leads to a connection, one procedure at a time. */
export class RestartOffers implements Mender {
  readonly #parts: MenderParts;
  #offeredAt = Number.NEGATIVE_INFINITY;
  /** Cuts a pause short. */
  #urgent = false;
  /** Cuts also the wait for an answer short. */
  #superseded = false;
  /** A stack that cannot restart never will. */
  #impossible = false;

  constructor(parts: MenderParts) {
    this.#parts = parts;
  }

  hurry(byPeer: boolean): void {
    this.#urgent = true;
    this.#superseded ||= byPeer;
  }

  async run(): Promise<boolean> {
    const { clock, bell, signaling, connected } = this.#parts;
    let endsAt = clock.monotonic() + totalMs;
    for (let offer = 0; offer < maxOffers; offer++) {
      // It may have healed by itself meanwhile.
      if (offer > 0 && !this.#superseded && connected()) return true;
      const waitsSince = clock.monotonic();
      if (!(await bell.until(signaling, offlineMs))) break;
      // Where the whole network was gone, offers have the time that they are worth once it is back.
      endsAt += clock.monotonic() - waitsSince;
      if (await this.#offer()) return true;
      if (this.#isOver) break;
      this.#urgent = this.#superseded;
      const pauseMs = pausesMs[offer] ?? longestPauseMs;
      await bell.until(() => this.#urgent, Math.min(pauseMs, this.#leftUntil(endsAt)));
      if (this.#leftUntil(endsAt) <= 0) break;
    }
    return connected();
  }

  async #offer(): Promise<boolean> {
    const { clock, bell, act, completed } = this.#parts;
    await bell.until(() => false, this.#leftUntil(this.#offeredAt + spacingMs));
    if (this.#isOver) return false;
    this.#offeredAt = clock.monotonic();
    this.#superseded = false;
    try {
      await act();
    } catch (error) {
      // Signaling that has just gone comes back.
      this.#impossible = ActrError.is(error) && error.code === "not_implemented";
      return false;
    }
    await bell.until(() => this.#superseded || completed(), completionMs);
    return completed();
  }

  get #isOver(): boolean {
    return this.#impossible || this.#parts.bell.silenced;
  }

  #leftUntil(atMs: number): number {
    return atMs - this.#parts.clock.monotonic();
  }
}
