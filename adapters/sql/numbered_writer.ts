import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { SqlDriver, SqlStatement } from "../../src/ports/sql_driver.ts";

/** Pause between two questions to a server that does not answer, milliseconds. */
const retryMs = 100;

/** Writes statements in one transaction, all or nothing, while this owner holds the database. */
export interface Writer {
  write(statements: readonly SqlStatement[]): void | Promise<void>;
}

/** Collaborators and settings of a {@link NumberedWriter}. */
export interface NumberedWriterOptions {
  readonly clock: Clock;
  readonly fence: number;
  /** Whether others write too, so that only a fence of one's own counts. */
  readonly shared: boolean;
  /** Told of each failure, while the outcome is still being asked for. */
  readonly onFailure: (error: unknown) => void;
  /** Ends the questions: the database is lost, or is being closed. */
  readonly signal: AbortSignal;
}

/**
 * Writes to a database whose confirmations can be lost on the way, and still knows what was written. A transaction
 * demands the number of the one before and leaves its own; the row outlives our ownership. Whoever does not hear of
 * an outcome reads the number or, finding the old one, skips to the next but one: what was still on its way can take
 * effect no more.
 */
export class NumberedWriter implements Writer {
  readonly #driver: SqlDriver;
  readonly #options: NumberedWriterOptions;
  /** Of the last transaction whose outcome is known. */
  #number = 0;
  /** Whether the outcome of the transaction after that is not. */
  #unknown = false;

  constructor(driver: SqlDriver, options: NumberedWriterOptions) {
    this.#driver = driver;
    this.#options = options;
  }

  /**
   * One at a time. Waits until the outcome is known: a row that was written though its sender heard otherwise would
   * be nobody's.
   * @throws ActrError `storage`, with `details.unknown` when the signal came first; `lease_lost`.
   */
  async write(statements: readonly SqlStatement[]): Promise<void> {
    if (this.#unknown) await this.#settle();
    try {
      await this.#driver.batch([...statements, this.#mark(1)], this.#guard());
      this.#number += 1;
    } catch (error) {
      if (isStatementFault(error)) throw error;
      this.#unknown = true;
      this.#options.onFailure(error);
      if (!(await this.#outcome(error))) throw error;
    }
  }

  /** Whether the last transaction took effect. */
  async #outcome(cause: unknown): Promise<boolean> {
    try {
      return await this.#settle();
    } catch (error) {
      if (ActrError.from(error).code === "lease_lost") throw error;
      const message = `${ActrError.from(cause).message}; whether the write took effect could not be learned`;
      const details = { fault: "database", unknown: true };
      throw new ActrError("storage", message, { cause, details });
    }
  }

  /** Learns, or decides, what became of the transaction after `#number`; true when it took effect. */
  async #settle(): Promise<boolean> {
    const { clock, signal, onFailure } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      try {
        const steps = await this.#skip();
        if (steps !== undefined) return this.#settled(steps);
      } catch (error) {
        if (ActrError.from(error).code === "lease_lost") throw error;
        onFailure(error);
        await clock.sleep(retryMs, { signal });
      }
    }
  }

  #settled(steps: number): boolean {
    this.#number += steps;
    this.#unknown = false;
    return steps === 1;
  }

  /** How far the stored number is ahead, after a try to put it two ahead; undefined to look again. */
  async #skip(): Promise<number | undefined> {
    const [row] = await this.#driver.all({
      sql: "SELECT (SELECT fence FROM meta) AS fence, (SELECT number FROM commit_mark WHERE fence = ?) AS number",
      args: [this.#options.fence],
    });
    const steps = Number(row?.["number"] ?? this.#number) - this.#number;
    if (steps > 0) return steps;
    const isOwner = this.#options.shared || row?.["fence"] === this.#options.fence;
    if (!isOwner) throw lost(this.#driver);
    try {
      await this.#driver.batch([this.#mark(2)], this.#guard());
      return 2;
    } catch (error) {
      // The number has moved in the meantime.
      if (ActrError.from(error).code === "lease_lost") return undefined;
      throw error;
    }
  }

  #mark(steps: number): SqlStatement {
    const args = [this.#number + steps, this.#options.fence];
    return { sql: "UPDATE commit_mark SET number = ? WHERE fence = ?", args };
  }

  #guard(): SqlStatement {
    const owned = this.#options.shared ? "commit_mark" : "meta JOIN commit_mark USING (fence)";
    const sql = `SELECT 1 FROM ${owned} WHERE fence = ? AND number = ?`;
    return { sql, args: [this.#options.fence, this.#number] };
  }
}

function isStatementFault(error: unknown): boolean {
  return ActrError.is(error) && error.details?.["fault"] === "statement";
}

/** A transaction of an earlier owner that has not taken effect never will. */
function lost(driver: SqlDriver): ActrError {
  return new ActrError("lease_lost", `${driver.name}: another owner took over`);
}
