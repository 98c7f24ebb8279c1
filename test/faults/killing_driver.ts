import type { SqlDriver, SqlRow, SqlStatement } from "../../src/ports/sql_driver.ts";
import type { KillSwitch } from "./kill_switch.ts";

/** Keeps SQLite busy for long and changes nothing: a store that is open is not clean. */
const slow: SqlStatement = {
  sql: `UPDATE meta SET clean = 0 * (WITH RECURSIVE c(n) AS
    (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 300000) SELECT count(*) FROM c)`,
  args: [],
};

/** How often {@link slow} is repeated where nobody goes on with it once this process is gone: seconds. */
const localRepeats = 100;

const begin: SqlStatement = { sql: "BEGIN IMMEDIATE", args: [] };

/** A driver whose process dies at one point of one of its transactions. */
export class KillingDriver implements SqlDriver {
  readonly name: string;
  readonly synchronous: boolean;
  readonly exclusive: boolean;
  readonly remote: boolean;
  readonly #inner: SqlDriver;
  readonly #end: KillSwitch;

  constructor(inner: SqlDriver, end: KillSwitch) {
    this.name = inner.name;
    this.synchronous = inner.synchronous;
    this.exclusive = inner.exclusive;
    this.remote = inner.remote;
    this.#inner = inner;
    this.#end = end;
  }

  run(statement: SqlStatement): void | Promise<void> {
    return this.#inner.run(statement);
  }

  all(statement: SqlStatement): SqlRow[] | Promise<SqlRow[]> {
    return this.#inner.all(statement);
  }

  batch(statements: readonly SqlStatement[], guard?: SqlStatement): void | Promise<void> {
    const end = this.#end;
    if (end.isDue("before commit")) return end.die("before commit");
    if (end.isDue("inside commit")) return this.#stayInside(statements, guard);
    const done = this.#inner.batch(statements, guard);
    if (!end.isDue("after commit")) return done;
    return done === undefined ? end.die("after commit") : done.then(() => end.die("after commit"));
  }

  close(): void | Promise<void> {
    return this.#inner.close();
  }

  /** Dies between two statements; where it cannot stop there, it stays there until another ends it. */
  #stayInside(statements: readonly SqlStatement[], guard?: SqlStatement): void | Promise<void> {
    const half = Math.ceil(statements.length / 2);
    const first = statements.slice(0, half);
    if (this.synchronous) {
      for (const statement of [begin, ...first]) void this.#inner.run(statement);
      return this.#end.die("inside commit");
    }
    const pause = Array.from({ length: this.remote ? 1 : localRepeats }, () => slow);
    this.#end.linger("inside commit");
    return this.#inner.batch([...first, ...pause, ...statements.slice(half)], guard);
  }
}
