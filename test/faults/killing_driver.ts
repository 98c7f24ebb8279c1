import process from "node:process";
import type { SqlDriver, SqlRow, SqlStatement } from "../../src/ports/sql_driver.ts";

/** Where in a commit a process ends itself. */
export const killPoints = ["before", "inside", "after"] as const;

/** One of {@link killPoints}. */
export type KillPoint = (typeof killPoints)[number];

/** How long a server may work on a batch at most before its client dies, milliseconds. */
const longestInsideMs = 4;

/** Takes seconds and changes nothing: a store that is open is not clean. */
const slow: SqlStatement = {
  sql: `UPDATE meta SET clean = 0 * (WITH RECURSIVE c(n) AS
    (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 30000000) SELECT count(*) FROM c)`,
  args: [],
};

/** A driver that kills its own process, as `kill -9` would, at one point of one of its transactions. */
export class KillingDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous: boolean;
  readonly exclusive: boolean;
  readonly remote: boolean;
  readonly #inner: SqlDriver;
  readonly #point: KillPoint;
  readonly #onInside: () => void;
  #left: number;

  /**
   * @param passing transactions that come through before the one that does not.
   * @param onInside told that the process is about to stay inside a transaction, to be killed from outside.
   */
  constructor(inner: SqlDriver, point: KillPoint, passing: number, onInside: () => void) {
    this.name = inner.name;
    this.synchronous = inner.synchronous;
    this.exclusive = inner.exclusive;
    this.remote = inner.remote;
    this.#inner = inner;
    this.#point = point;
    this.#onInside = onInside;
    this.#left = passing;
  }

  run(statement: SqlStatement): void | Promise<void> {
    return this.#inner.run(statement);
  }

  all(statement: SqlStatement): SqlRow[] | Promise<SqlRow[]> {
    return this.#inner.all(statement);
  }

  batch(statements: readonly SqlStatement[], guard?: SqlStatement): void | Promise<void> {
    if (this.#left-- > 0) return this.#inner.batch(statements, guard);
    return this.#die(statements, guard);
  }

  close(): void | Promise<void> {
    return this.#inner.close();
  }

  async #die(statements: readonly SqlStatement[], guard?: SqlStatement): Promise<void> {
    if (this.#point === "after") await this.#inner.batch(statements, guard);
    if (this.#point === "inside" && !this.remote) return this.#linger(statements, guard);
    if (this.#point === "inside") await this.#begin(statements, guard);
    process.kill(process.pid, "SIGKILL");
    // The signal may take a moment; nothing more may happen in it.
    await new Promise(() => {});
  }

  /** Stays in the middle of the transaction, whose driver may hold the whole process up, for another to end it. */
  async #linger(statements: readonly SqlStatement[], guard?: SqlStatement): Promise<void> {
    const half = Math.ceil(statements.length / 2);
    this.#onInside();
    await this.#inner.batch([...statements.slice(0, half), slow, ...statements.slice(half)], guard);
  }

  /** Leaves the server anywhere in the transaction. */
  async #begin(statements: readonly SqlStatement[], guard?: SqlStatement): Promise<void> {
    void Promise.resolve(this.#inner.batch(statements, guard)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longestInsideMs));
  }
}
