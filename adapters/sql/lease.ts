import { ActrError } from "../../src/errors.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";
import type { SqlDriver, SqlStatement } from "../../src/ports/sql_driver.ts";

/** Which lease, and how long it lasts. */
export interface LeaseOptions {
  readonly fence: number;
  /** Milliseconds from its last renewal. */
  readonly leaseMs: number;
  /** End as written at the takeover, Unix milliseconds. */
  readonly expiresAt: number;
}

/** Passes only while the owner with this fence owns the database. */
export function fenceGuard(fence: number): SqlStatement {
  return { sql: "SELECT 1 FROM meta WHERE fence = ?", args: [fence] };
}

/**
 * Ownership of a database. Every write carries {@link guard}, so an owner that slept through its lease can harm nothing.
 * Where the operating system holds the file for us there is nothing to renew.
 */
export class Lease {
  readonly guard: SqlStatement;
  /** Resolves with the reason when another took the database over, or when the lease ran out unrenewed. */
  readonly lost: Promise<string>;
  readonly #driver: SqlDriver;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  #expiresAt: number;
  #timer: Timer | undefined;
  #renewing = false;
  #ended = false;
  #loss: ActrError | undefined;
  #tellLoss: (reason: string) => void = () => {};

  constructor(driver: SqlDriver, clock: Clock, options: LeaseOptions) {
    this.#driver = driver;
    this.#clock = clock;
    this.#leaseMs = options.leaseMs;
    this.#expiresAt = options.expiresAt;
    this.guard = fenceGuard(options.fence);
    this.lost = new Promise((resolve) => {
      this.#tellLoss = resolve;
    });
    if (!driver.exclusive) this.#schedule();
  }

  /** Why nothing may be written any more, if so. */
  get loss(): ActrError | undefined {
    return this.#loss;
  }

  /** Gives up: every later write fails with `lease_lost`. */
  lose(reason: string): void {
    if (this.#loss !== undefined) return;
    this.#loss = new ActrError(
      "lease_lost",
      `${this.#driver.name}: ${reason}; restart this process, or stop the other owner`,
    );
    this.end();
    this.#tellLoss(reason);
  }

  /** Stops renewing. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#clock.timer(this.#clock.now() + this.#leaseMs / 3, () => this.#tick());
  }

  /** Runs on though a renewal hangs, so that the end of the lease is noticed. */
  #tick(): void {
    if (this.#ended) return;
    if (this.#clock.now() >= this.#expiresAt) return this.lose("the lease ran out unrenewed");
    this.#schedule();
    if (!this.#renewing) void this.#renew();
  }

  async #renew(): Promise<void> {
    const expiresAt = this.#clock.now() + this.#leaseMs;
    const extend = { sql: "UPDATE meta SET expires_at = ?", args: [expiresAt] };
    this.#renewing = true;
    try {
      await this.#driver.batch([extend], this.guard);
      this.#expiresAt = expiresAt;
    } catch (error) {
      // Anything else may pass before the lease ends: the next tick tries again.
      if (ActrError.from(error).code === "lease_lost") this.lose("another owner took over");
    } finally {
      this.#renewing = false;
    }
  }
}
