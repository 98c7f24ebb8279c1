import type { Transaction } from "@libsql/client";
import type { SqlRow, SqlStatement, SqlTransaction } from "../../src/ports/sql_driver.ts";
import { guardInput, toInput } from "./libsql_statements.ts";
import { toRow } from "./values.ts";

/** Runs one call of a transaction within its limits, and names what it fails with. */
export type Call = <T>(call: () => Promise<T>) => Promise<T>;

/** A transaction of `@libsql/client`. */
export class ClientTransaction implements SqlTransaction {
  readonly #transaction: Transaction;
  readonly #call: Call;

  constructor(transaction: Transaction, call: Call) {
    this.#transaction = transaction;
    this.#call = call;
  }

  async run(statement: SqlStatement): Promise<void> {
    await this.#call(async () => await this.#transaction.execute(toInput(statement)));
  }

  all(statement: SqlStatement): Promise<SqlRow[]> {
    return this.#call(async () => {
      const { rows } = await this.#transaction.execute(toInput(statement));
      return rows.map((row) => toRow(row));
    });
  }

  async commit(): Promise<void> {
    try {
      await this.#call(() => this.#transaction.commit());
    } finally {
      this.#transaction.close();
    }
  }

  async rollBack(): Promise<void> {
    this.#transaction.close();
  }
}

/** Runs the guard of a transaction: until that has ended, nobody else can write what it has read. */
export async function pass(guard: SqlStatement, transaction: Transaction): Promise<void> {
  try {
    await transaction.execute(guardInput(guard));
  } catch (error) {
    // It would keep its lock.
    transaction.close();
    throw error;
  }
}
