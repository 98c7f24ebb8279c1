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
  /** Whether nobody can take the database over, so that there is nothing to renew. */
  readonly shared: boolean;
  /** Told how each renewal ended: it is the only write of a store that is idle. */
  readonly onRenewal: (error: unknown) => void;
}

/** Renewals that fit into a lease, and tries that do once one has failed. */
const renewals = 3;
const retries = 15;

/** Passes only while the owner with this fence owns the database. */
export function fenceGuard(fence: number): SqlStatement {
  return { sql: "SELECT 1 FROM meta WHERE fence = ?", args: [fence] };
}

/** Passes while one who shares the database with others has it open. */
function markGuard(fence: number): SqlStatement {
  return { sql: "SELECT 1 FROM commit_mark WHERE fence = ?", args: [fence] };
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
  readonly #onRenewal: (error: unknown) => void;
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
    this.#onRenewal = options.onRenewal;
    this.#expiresAt = options.expiresAt;
    this.guard = options.shared ? markGuard(options.fence) : fenceGuard(options.fence);
    this.lost = new Promise((resolve) => {
      this.#tellLoss = resolve;
    });
    if (!driver.exclusive && !options.shared) this.#schedule(renewals);
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

  /** The next tick: `times` of them fit into a lease, and one is at its end. */
  #schedule(times: number): void {
    this.#timer?.cancel();
    const at = this.#clock.now() + this.#leaseMs / times;
    this.#timer = this.#clock.timer(Math.min(at, this.#expiresAt), () => this.#tick());
  }

  /** Runs on though a renewal hangs, so that the end of the lease is noticed. */
  #tick(): void {
    if (this.#ended) return;
    if (this.#clock.now() >= this.#expiresAt) return this.lose("the lease ran out unrenewed");
    this.#schedule(renewals);
    if (!this.#renewing) void this.#renew();
  }

  async #renew(): Promise<void> {
    const expiresAt = this.#clock.now() + this.#leaseMs;
    const extend = { sql: "UPDATE meta SET expires_at = ?", args: [expiresAt] };
    this.#renewing = true;
    let failure: unknown;
    try {
      await this.#driver.batch([extend], this.guard);
      this.#expiresAt = expiresAt;
    } catch (error) {
      failure = error;
    }
    this.#renewing = false;
    this.#renewed(failure);
  }

  #renewed(failure: unknown): void {
    if (this.#ended) return;
    if (ActrError.is(failure) && failure.code === "lease_lost") {
      return this.lose("another owner took over");
    }
    // It may pass before the lease ends.
    if (failure !== undefined) this.#schedule(retries);
    this.#onRenewal(failure);
  }
}
