import { ActrError } from "../../src/errors.ts";
import type { SqlDriver, SqlRow, SqlStatement } from "../../src/ports/sql_driver.ts";

/** A driver that counts transactions and fails on demand. */
export class InstrumentedDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous: boolean;
  readonly exclusive: boolean;
  readonly remote: boolean;
  /** Batches that took effect. */
  transactions = 0;
  /** What becomes of the next batch. */
  next: "pass" | "before" | "after" = "pass";
  readonly #inner: SqlDriver;
  #cut = false;

  /** @param remote whether to pass for a server, whatever is behind. */
  constructor(inner: SqlDriver, remote: boolean = inner.remote) {
    this.name = inner.name;
    this.synchronous = inner.synchronous;
    this.exclusive = inner.exclusive;
    this.remote = remote;
    this.#inner = inner;
  }

  /** Ends the process behind the driver: nothing gets through any more. */
  async cut(): Promise<void> {
    this.#cut = true;
    await this.#inner.close();
  }

  run(statement: SqlStatement): void | Promise<void> {
    this.#check();
    return this.#inner.run(statement);
  }

  all(statement: SqlStatement): SqlRow[] | Promise<SqlRow[]> {
    this.#check();
    return this.#inner.all(statement);
  }

  batch(statements: readonly SqlStatement[], guard?: SqlStatement): void | Promise<void> {
    this.#check();
    const fate = this.next;
    this.next = "pass";
    if (fate === "before") throw ioError(this.name);
    const done = this.#inner.batch(statements, guard);
    return done === undefined ? this.#passed(fate) : done.then(() => this.#passed(fate));
  }

  close(): void | Promise<void> {
    return this.#inner.close();
  }

  #passed(fate: string): void {
    this.transactions++;
    if (fate === "after") throw ioError(this.name);
  }

  #check(): void {
    if (this.#cut) throw ioError(this.name);
  }
}

function ioError(name: string): ActrError {
  return new ActrError("storage", `${name}: disk I/O error`, { details: { fault: "database" } });
}
