import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { withinLimit } from "../time_limit.ts";

/** Longest wait of one send, milliseconds (`spec/transport.md` §12). */
const patienceMs = 5_000;

/** Holds new sends back while connections are being replaced. */
export class Barrier {
  readonly #clock: Clock;
  #raised = 0;
  #lowered: Promise<void> | undefined;
  #open = (): void => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether sends have to wait. */
  get up(): boolean {
    return this.#raised > 0;
  }

  /** Raises it; it is down again when everybody who raised it has called what this returns, once or more. */
  raise(): () => void {
    if (this.#raised++ === 0) {
      this.#lowered = new Promise((resolve) => {
        this.#open = resolve;
      });
    }
    let mine = true;
    return () => {
      if (!mine) return;
      mine = false;
      if (--this.#raised === 0) this.#open();
    };
  }

  /** Waits until it is down. @throws ActrError `connection_not_ready` when that takes longer than 5 s; the signal's reason. */
  async passed(signal: AbortSignal): Promise<void> {
    const limit = { what: "a change of the network", ms: patienceMs, signal };
    try {
      await withinLimit(this.#clock, limit, () => this.#down());
    } catch (cause) {
      signal.throwIfAborted();
      const message = `connections are being replaced for more than ${patienceMs} ms; try again later`;
      throw new ActrError("connection_not_ready", message, { cause });
    }
  }

  async #down(): Promise<void> {
    while (this.up) await this.#lowered;
  }
}
