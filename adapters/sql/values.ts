import type { SqlRow, SqlValue } from "../../src/ports/sql_driver.ts";

/** A row as a binding gives it, with the types that the port promises. */
export function toRow(row: Readonly<Record<string, unknown>>): SqlRow {
  const result: Record<string, SqlValue> = {};
  for (const name of Object.keys(row)) result[name] = toValue(row[name]);
  return result;
}

function toValue(value: unknown): SqlValue {
  switch (typeof value) {
    case "string":
    case "number":
      return value;
    case "bigint":
      return BigInt.asIntN(54, value) === value ? Number(value) : value;
    default:
      return toBlob(value);
  }
}

/** Buffers become plain arrays, so that callers see one type everywhere. */
function toBlob(value: unknown): Uint8Array | null {
  if (value === null) return null;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!(value instanceof Uint8Array))
    throw new TypeError(`unknown value ${String(value)} from SQL`);
  return value.constructor === Uint8Array
    ? value
    : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/**
 * Values as bindings take them: whole numbers as bigint, since they would store a number as a float.
 * @throws TypeError for what the port does not carry: bindings would store it as something else, or abort the process.
 */
export function toArgs(args: readonly SqlValue[]): SqlValue[] {
  return args.map(toArg);
}

function toArg(arg: SqlValue): SqlValue {
  switch (typeof arg) {
    case "string":
    case "bigint":
      return arg;
    case "number":
      if (Number.isSafeInteger(arg)) return BigInt(arg);
      if (Number.isFinite(arg)) return arg;
      break;
    default:
      if (arg === null || arg instanceof Uint8Array) return arg;
  }
  throw new TypeError(`${String(arg)} cannot be bound to a statement`);
}
