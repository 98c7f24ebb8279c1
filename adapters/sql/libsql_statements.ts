import type { InValue } from "@libsql/client";
import type { SqlStatement } from "../../src/ports/sql_driver.ts";
import { toArgs } from "./values.ts";

/** A statement as `@libsql/client` takes it. */
export interface Input {
  readonly sql: string;
  readonly args: InValue[];
}

/** A statement for `@libsql/client`. */
export function toInput({ sql, args }: SqlStatement): Input {
  return { sql, args: toArgs(args) };
}

/** What SQLite says of a guard that finds nothing: it quotes the path, which is none. */
const guardWords = "roost guard";

/** Fails the batch, and with it the transaction, in one round trip: an error raised by SQL is the only way to stop it. */
export function guardInput(guard: SqlStatement): Input {
  return toInput({
    sql: `SELECT CASE WHEN EXISTS (${guard.sql}) THEN 1 ELSE json_extract('{}', '${guardWords}') END`,
    args: guard.args,
  });
}

/** Whether it was a guard that failed a batch. */
export function isGuard(error: unknown): boolean {
  return error instanceof Error && error.message.includes(guardWords);
}
