import type { SqlStatements } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { SqlRow, SqlStatement, SqlTransaction, SqlValue } from "../../ports/sql_driver.ts";

/** Statements of a transaction that goes on: they do not wait for others. */
export class TransactionStatements implements SqlStatements {
  #transaction: SqlTransaction | undefined;

  constructor(transaction: SqlTransaction) {
    this.#transaction = transaction;
  }

  async all<Row = SqlRow>(sql: string, ...args: readonly SqlValue[]): Promise<Row[]> {
    return (await told(() => this.#open.all(statementOf(sql, args)))) as Row[];
  }

  async get<Row = SqlRow>(sql: string, ...args: readonly SqlValue[]): Promise<Row | undefined> {
    const [first] = await this.all<Row>(sql, ...args);
    return first;
  }

  async run(sql: string, ...args: readonly SqlValue[]): Promise<void> {
    await told(() => this.#open.run(statementOf(sql, args)));
  }

  /** It is over: whoever still has it can do nothing with it. */
  end(): void {
    this.#transaction = undefined;
  }

  get #open(): SqlTransaction {
    if (this.#transaction !== undefined) return this.#transaction;
    throw new ActrError("sqlite.closed", "the transaction is over; begin another");
  }
}

/** A statement with its parameters. @throws ActrError `sqlite.invalid_bind_parameter`. */
export function statementOf(sql: string, args: readonly SqlValue[]): SqlStatement {
  for (const [at, arg] of args.entries()) {
    if (isSqlValue(arg)) continue;
    const message = `parameter ${at + 1} is ${describe(arg)}; it must be a text, a finite number, a bigint, a Uint8Array or null`;
    throw new ActrError("sqlite.invalid_bind_parameter", message);
  }
  return { sql, args };
}

/** Runs statements. @throws ActrError `sqlite.statement_failed` for what they are to blame for, `storage` for the rest. */
export async function told<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!ActrError.is(error) || error.details?.["fault"] !== "statement") throw error;
    // Without the name of the file, which is nobody's business who called the actor.
    const message = error.cause instanceof Error ? error.cause.message : error.message;
    throw new ActrError("sqlite.statement_failed", message, { cause: error });
  }
}

function isSqlValue(value: unknown): value is SqlValue {
  switch (typeof value) {
    case "string":
    case "bigint":
      return true;
    case "number":
      return Number.isFinite(value);
    default:
      return value === null || value instanceof Uint8Array;
  }
}

function describe(value: unknown): string {
  return typeof value === "object" ? `an instance of ${value?.constructor?.name}` : String(value);
}
