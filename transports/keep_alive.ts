import type { Clock, Timer } from "../src/ports/clock.ts";

/** A link as the keep-alive sees it. */
export interface Pinged {
  /** Called once per interval: pings, or ends a link from which nothing came for too long. */
  sweep(): void;
}

/** One timer for all links of a transport: it runs while there are any. */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #links = new Set<Pinged>();
  #timer: Timer | undefined;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  add(link: Pinged): void {
    this.#links.add(link);
    if (this.#timer === undefined) this.#arm();
  }

  remove(link: Pinged): void {
    this.#links.delete(link);
    if (this.#links.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#clock.timer(this.#clock.now() + this.#intervalMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#arm();
    for (const link of this.#links) link.sweep();
  }
}
