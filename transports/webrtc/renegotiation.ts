import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { Bell } from "./bell.ts";

/** Offers of one change, and how long each waits for its answer, milliseconds. */
const maxOffers = 3;
const answerMs = 5_000;

/** What {@link Renegotiation} works with. */
export interface RenegotiationParts {
  readonly clock: Clock;
  /** Whether signaling is connected. */
  readonly signaling: () => boolean;
  /** Offers the connection with its tracks of now. May reject. */
  readonly offer: () => Promise<void>;
  /** Gives up the offer that nobody answered. */
  readonly withdraw: () => void;
}

/** Has the peer agree to changed tracks: one offer at a time, and again when it was lost or gave way to the peer's. */
export class Renegotiation {
  readonly #parts: RenegotiationParts;
  readonly #bell: Bell;
  /** Changes so far, how many of them were offered, and how many the peer has agreed to. */
  #wanted = 0;
  #offered = 0;
  #agreed = 0;
  #gaveWay = false;
  #running = false;

  constructor(parts: RenegotiationParts) {
    this.#parts = parts;
    this.#bell = new Bell(parts.clock);
  }

  /** The tracks have changed; resolves when the peer has agreed. @throws ActrError `timed_out`, `unavailable`. */
  async request(): Promise<void> {
    const change = ++this.#wanted;
    if (!this.#running) void this.#run();
    const limitMs = maxOffers * answerMs;
    if (await this.#bell.until(() => this.#agreed >= change, limitMs)) return;
    if (this.#bell.silenced) throw new ActrError("unavailable", "the connection has ended");
    const message = `the peer has not agreed to the media tracks within ${limitMs} ms; try again`;
    throw new ActrError("timed_out", message);
  }

  /** The peer has answered an offer of this side, whatever it was made for. */
  answered(): void {
    this.#agreed = this.#offered;
    this.#bell.ring();
  }

  /** An offer of the peer was answered: one of this side that waited has been undone. */
  gaveWay(): void {
    this.#gaveWay = true;
    this.#bell.ring();
  }

  /** Signaling is back. */
  signalingConnected(): void {
    this.#bell.ring();
  }

  /** The connection has ended: whoever waits is told. */
  end(): void {
    this.#bell.silence();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let lost = 0; lost < maxOffers && this.#agreed < this.#wanted && !this.#bell.silenced; ) {
      if (!(await this.#offer())) lost += 1;
    }
    this.#running = false;
  }

  /** False when the offer was lost. */
  async #offer(): Promise<boolean> {
    const { signaling, offer, withdraw } = this.#parts;
    if (!(await this.#bell.until(signaling, answerMs))) return false;
    this.#gaveWay = false;
    this.#offered = this.#wanted;
    const offered = this.#offered;
    try {
      await offer();
    } catch {
      return false;
    }
    const settled = (): boolean => this.#agreed >= offered || this.#gaveWay;
    if (await this.#bell.until(settled, answerMs)) return true;
    withdraw();
    return false;
  }
}
