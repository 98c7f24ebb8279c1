import { ActrError } from "../../src/errors.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";

/** How long a database that failed is left alone before it is tried again, milliseconds. */
const pauseMs = 1_000;

/** Hears why writes fail, or that they succeed again. */
export type FaultListener = (fault: string | undefined) => void;

/**
 * Whether a database can be written. After a failure it is tried again and again, so that it counts as healthy by
 * itself once its disk or server is back, though nobody else writes.
 */
export class Health {
  readonly #clock: Clock;
  readonly #probe: () => Promise<unknown>;
  readonly #listeners = new Set<FaultListener>();
  #fault: string | undefined;
  #timer: Timer | undefined;
  #ended = false;

  /** @param probe writes something; its outcome comes back by {@link note}. */
  constructor(clock: Clock, probe: () => Promise<unknown>) {
    this.#clock = clock;
    this.#probe = probe;
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  onFault(listener: FaultListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes note of how a write ended. A statement at fault says nothing of the database. */
  note(error: unknown): void {
    if (ActrError.is(error) && error.details?.["fault"] === "database") {
      this.#tell(error.message);
      this.#schedule();
    } else if (error === undefined) this.#tell(undefined);
  }

  /** Stops trying. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #tell(fault: string | undefined): void {
    if (this.#fault === fault) return;
    this.#fault = fault;
    for (const listener of this.#listeners) listener(fault);
  }

  #schedule(): void {
    if (this.#ended || this.#timer !== undefined) return;
    this.#timer = this.#clock.timer(this.#clock.now() + pauseMs, () => {
      this.#timer = undefined;
      if (this.#fault !== undefined) this.#probe().catch(() => {});
    });
  }
}
