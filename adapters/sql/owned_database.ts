import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { SqlDriver, SqlStatement } from "../../src/ports/sql_driver.ts";
import { type FaultListener, Health } from "./health.ts";
import { Lease } from "./lease.ts";
import { NumberedWriter, type Writer } from "./numbered_writer.ts";
import type { TakenOver } from "./take_over.ts";

/** What {@link OwnedDatabase} works with. */
export interface OwnedDatabaseParts {
  readonly driver: SqlDriver;
  readonly clock: Clock;
  readonly taken: TakenOver;
  /** Whether others write too; then it has no lease. */
  readonly shared: boolean;
  /** Has something written, to learn whether a database that failed can be written again. */
  readonly probe: () => Promise<unknown>;
}

/** A database that was taken over: statements take effect in it for as long as it is ours. */
export class OwnedDatabase {
  /** Resolves with the reason when it is not ours any more. */
  readonly lost: Promise<string>;
  readonly #parts: OwnedDatabaseParts;
  readonly #lease: Lease;
  readonly #writer: Writer;
  readonly #health: Health;
  /** Ends the wait for a server that does not tell what became of a write. */
  readonly #ending = new AbortController();

  constructor(parts: OwnedDatabaseParts) {
    const { driver, clock, taken, shared, probe } = parts;
    this.#parts = parts;
    this.#health = new Health(clock, probe);
    const note = (error: unknown): void => this.#health.note(error);
    this.#lease = new Lease(driver, clock, { ...taken, shared, onRenewal: note });
    this.lost = this.#lease.lost;
    void this.lost.then(() => this.#ending.abort(this.#lease.loss));
    const { signal } = this.#ending;
    this.#writer = driver.remote
      ? new NumberedWriter(driver, { clock, fence: taken.fence, shared, signal, onFailure: note })
      : { write: (statements) => driver.batch(statements, this.#lease.guard) };
  }

  /** Why nothing may be written any more, if so: `lease_lost`. */
  get loss(): ActrError | undefined {
    return this.#lease.loss;
  }

  /** Why it cannot be written, as far as is known. */
  get fault(): string | undefined {
    return this.#health.fault;
  }

  /** Tells of every change of {@link OwnedDatabase.fault}, until the function returned is called. */
  onFault(listener: FaultListener): () => void {
    return this.#health.onFault(listener);
  }

  /** Writes statements in one transaction. @param expects whether some of them expect what may not hold. @throws ActrError `storage`, `lease_lost`. */
  async write(statements: readonly SqlStatement[], expects: boolean): Promise<void> {
    try {
      await this.#writer.write(statements);
      this.#health.note(undefined);
    } catch (error) {
      if (expects && isUnmet(error)) throw unmet(error, this.#parts.driver.name);
      this.#health.note(error);
      if (ActrError.from(error).code === "lease_lost") this.#lease.lose("another owner took over");
      throw this.#lease.loss ?? error;
    }
  }

  /** Fails writes whose outcome nobody tells, and those that come. */
  giveUp(reason: ActrError): void {
    this.#ending.abort(reason);
  }

  /** Gives it to the next owner. @param lastSeq the greatest number of a mailbox row that was used. @throws ActrError `storage`. */
  async close(lastSeq: number): Promise<void> {
    this.#lease.end();
    this.#health.end();
    try {
      if (this.loss === undefined) await this.#release(lastSeq);
    } finally {
      await this.#parts.driver.close();
    }
  }

  /** Tells the next owner that all is in order; one who has taken over already need not hear it. */
  async #release(lastSeq: number): Promise<void> {
    const { driver, taken, shared } = this.#parts;
    const leave: SqlStatement = shared
      ? { sql: "DELETE FROM commit_mark WHERE fence = ?", args: [taken.fence] }
      : { sql: "UPDATE meta SET clean = 1, owner = NULL, seq_reserved = ?", args: [lastSeq] };
    try {
      await driver.batch([leave], this.#lease.guard);
    } catch (error) {
      if (ActrError.from(error).code !== "lease_lost") throw error;
    }
  }
}

/** How `toStatements` has a transaction fail that expects what does not hold. */
function isUnmet(error: unknown): boolean {
  return ActrError.is(error) && /NOT NULL constraint failed: record\.value/.test(error.message);
}

function unmet(cause: unknown, name: string): ActrError {
  const message = `${name}: what the commit expects does not hold; nothing was written`;
  return new ActrError("lease_lost", message, { cause, details: { fault: "statement" } });
}
