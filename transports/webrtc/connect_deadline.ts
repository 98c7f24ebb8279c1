import type { Clock, Timer } from "../../src/ports/clock.ts";
import type { WebRtcOptions } from "./webrtc_options.ts";

/** Ends a connection that does not come up in time (`spec/transport.md` §6.6). */
export class ConnectDeadline {
  readonly #clock: Clock;
  readonly #options: Pick<WebRtcOptions, "connectTimeoutMs" | "channelTimeoutMs">;
  readonly #late: (reason: string) => void;
  #pathAt = Number.NEGATIVE_INFINITY;
  #timer: Timer;

  constructor(
    clock: Clock,
    options: Pick<WebRtcOptions, "connectTimeoutMs" | "channelTimeoutMs">,
    late: (reason: string) => void,
  ) {
    this.#clock = clock;
    this.#options = options;
    this.#late = late;
    this.#timer = this.#start(options.connectTimeoutMs);
  }

  /** There is a path: what is left to come is a channel. */
  pathFound(): void {
    this.#pathAt = this.#clock.monotonic();
  }

  /** The connection is up, or over. Idempotent. */
  cancel(): void {
    this.#timer.cancel();
  }

  #start(ms: number): Timer {
    return this.#clock.timer(this.#clock.now() + ms, () => this.#due());
  }

  #due(): void {
    const { connectTimeoutMs, channelTimeoutMs } = this.#options;
    // A path that has just been found leaves the channel some time.
    const leftMs = this.#pathAt + channelTimeoutMs - this.#clock.monotonic();
    if (leftMs > 0) this.#timer = this.#start(leftMs);
    else this.#late(`not connected within ${connectTimeoutMs} ms`);
  }
}
