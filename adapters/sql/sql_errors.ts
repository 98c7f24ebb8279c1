import { ActrError } from "../../src/errors.ts";
import type { SqlFault } from "../../src/ports/sql_driver.ts";

/** What SQLite and its bindings say when only the statement is at fault. By text: not every runtime passes the code. */
const statementFault =
  /constraint failed|datatype mismatch|too big|cannot be bound|only bind|passed as arg|syntax error|no such |already exists|unrecognized token|incomplete input|ambiguous|misuse|wrong number of arguments|has no column|has \d+ columns|\d+ values for|not return data|malformed JSON|JSON path|integer overflow|no transaction is active|within a transaction|SQL_(PARSE|INPUT)_ERROR/i;
const lockedFault = /database is locked|SQLITE_BUSY/i;

/** Any failure of a binding as ActrError `storage`, naming the database and whose fault it is. */
export function toSqlError(cause: unknown, name: string): ActrError {
  if (ActrError.is(cause)) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const fault: SqlFault = statementFault.test(text) ? "statement" : "database";
  return new ActrError("storage", `${name}: ${text}`, { cause, details: { fault } });
}

/** Why a database could not be opened, with what to do; `details.inUse` when another process has it. */
export function openError(cause: unknown, name: string): ActrError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const inUse = lockedFault.test(text);
  const mend = inUse
    ? "another process has it open; stop that process, or use a file of its own"
    : `${text}; check that the path is a database file that this process may write`;
  return new ActrError("storage", `cannot open ${name}: ${mend}`, { cause, details: { inUse } });
}

/** The guard of a batch found nothing. */
export function guardFailed(name: string): ActrError {
  return new ActrError("lease_lost", `${name}: another owner took over; nothing was written`);
}
