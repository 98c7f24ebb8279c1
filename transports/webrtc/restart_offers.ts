import { ActrError } from "../../src/errors.ts";
import { Bell } from "./bell.ts";
import type { Mender, MenderParts } from "./mender.ts";

/** Offers of one restart, the time for all of them, and for the completion of one, milliseconds (`spec/transport.md` §6.8). */
const maxOffers = 10;
const totalMs = 60_000;
const completionMs = 6_000;
/** Shortest time between two offers, milliseconds. */
const spacingMs = 2_000;
/** After each offer that led nowhere, milliseconds. */
const pausesMs: readonly number[] = [1_000, 2_000, 4_000];
const longestPauseMs = 5_000;

/** The side that offered: offers until one leads to a connection, one procedure at a time. */
export class RestartOffers implements Mender {
  readonly #parts: MenderParts;
  readonly #bell: Bell;
  #running: Promise<boolean> | undefined;
  #offeredAt = Number.NEGATIVE_INFINITY;
  #answered = false;
  /** Cuts a pause short. */
  #urgent = false;
  /** Cuts also the wait for an answer short. */
  #superseded = false;
  #ended = false;

  constructor(parts: MenderParts) {
    this.#parts = parts;
    this.#bell = new Bell(parts.clock);
  }

  mend(): Promise<boolean> {
    this.#urgent = true;
    this.#bell.ring();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  changed(): void {
    this.#bell.ring();
  }

  exchanged(): void {
    this.#answered = true;
    this.#bell.ring();
  }

  requested(): void {
    this.#superseded = true;
  }

  end(): void {
    this.#ended = true;
    this.#bell.silence();
  }

  async #run(): Promise<boolean> {
    const endsAt = this.#parts.clock.monotonic() + totalMs;
    for (let offer = 0; offer < maxOffers; offer++) {
      // It may have healed by itself meanwhile.
      if (offer > 0 && !this.#superseded && this.#parts.connected()) return true;
      if (!(await this.#bell.until(this.#parts.signaling, this.#leftUntil(endsAt)))) break;
      if (await this.#offer()) return true;
      if (this.#ended) break;
      this.#urgent = this.#superseded;
      const pauseMs = pausesMs[offer] ?? longestPauseMs;
      await this.#bell.until(() => this.#urgent, Math.min(pauseMs, this.#leftUntil(endsAt)));
      if (this.#leftUntil(endsAt) <= 0) break;
    }
    return this.#parts.connected();
  }

  async #offer(): Promise<boolean> {
    const { clock, act, connected } = this.#parts;
    await this.#bell.until(() => false, this.#leftUntil(this.#offeredAt + spacingMs));
    if (this.#ended) return false;
    this.#offeredAt = clock.monotonic();
    this.#answered = false;
    this.#superseded = false;
    try {
      await act();
    } catch (error) {
      // A stack that cannot restart never will; signaling that has just gone comes back.
      this.#ended ||= ActrError.is(error) && error.code === "not_implemented";
      return false;
    }
    const completed = (): boolean => this.#answered && connected();
    await this.#bell.until(() => this.#superseded || completed(), completionMs);
    return completed();
  }

  #leftUntil(atMs: number): number {
    return atMs - this.#parts.clock.monotonic();
  }
}
