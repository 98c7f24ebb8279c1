import type { SqlValue } from "../../src/ports/sql_driver.ts";

/** A column of text that may be null. */
export function text(value: SqlValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** A column of bytes that may be null. */
export function bytesOrNull(value: SqlValue | undefined): Uint8Array | null {
  return value === null ? null : bytes(value);
}

/** A column declared as a blob and never null, so anything else is a driver that breaks its contract. */
export function bytes(value: SqlValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`expected a blob, the driver gave ${typeof value}`);
}
