import { ActrError } from "../../src/errors.ts";
import type { SqlDriver, SqlRow, SqlStatement } from "../../src/ports/sql_driver.ts";

/** A driver whose disk fails while told to. */
export class FailingDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous: boolean;
  readonly exclusive: boolean;
  readonly remote: boolean;
  /** What fails: nothing, writes, or reads too. */
  fails: "nothing" | "writes" | "everything" = "nothing";
  readonly #inner: SqlDriver;

  constructor(inner: SqlDriver) {
    this.name = inner.name;
    this.synchronous = inner.synchronous;
    this.exclusive = inner.exclusive;
    this.remote = inner.remote;
    this.#inner = inner;
  }

  run(statement: SqlStatement): void | Promise<void> {
    this.#check("nothing");
    return this.#inner.run(statement);
  }

  all(statement: SqlStatement): SqlRow[] | Promise<SqlRow[]> {
    this.#check("writes");
    return this.#inner.all(statement);
  }

  batch(statements: readonly SqlStatement[], guard?: SqlStatement): void | Promise<void> {
    this.#check("nothing");
    return this.#inner.batch(statements, guard);
  }

  close(): void | Promise<void> {
    return this.#inner.close();
  }

  #check(tolerated: "nothing" | "writes"): void {
    if (this.fails === "nothing" || this.fails === tolerated) return;
    const details = { fault: "database" };
    throw new ActrError("storage", `${this.name}: disk I/O error`, { details });
  }
}
