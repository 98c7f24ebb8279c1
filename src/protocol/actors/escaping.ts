import { ActrError } from "../../errors.ts";
import { fromBase64, toBase64 } from "../bytes.ts";

/** Which values a notation has no form of its own for: they become arrays of two (`spec/actor-client.md` §5.1). */
export interface Layer {
  /** bigint, bytes. */
  readonly scalars: boolean;
  /** Set, and undefined within arrays and objects. */
  readonly others: boolean;
}

/** JSON has no bigints and bytes, and leaves undefined out by its own rules. */
export const jsonLayer: Layer = { scalars: true, others: false };
/** Payloads inside `bare` have none of them. */
export const bareLayer: Layer = { scalars: true, others: true };
/** CBOR has them all; only what looks like one is escaped. */
export const cborLayer: Layer = { scalars: false, others: false };

/** What stands for undefined. */
const undefinedForm = ["$Undefined", 0];

/** A value with the array forms of what its notation lacks; the same object where nothing had to be replaced. */
export function escaped(value: unknown, layer: Layer): unknown {
  if (typeof value === "bigint") return layer.scalars ? ["$BigInt", String(value)] : value;
  if (value === undefined) return layer.others ? undefinedForm : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return escapedArray(value, layer);
  if (value instanceof Uint8Array) {
    return layer.scalars ? ["$Uint8Array", toBase64(value)] : value;
  }
  if (value instanceof ArrayBuffer) {
    return layer.scalars ? ["$ArrayBuffer", toBase64(new Uint8Array(value))] : value;
  }
  if (value instanceof Set) {
    return layer.others ? ["$Set", [...value].map((each) => escaped(each, layer))] : value;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null
    ? escapedRecord(value as Record<string, unknown>, layer)
    : value;
}

/** What an action returned, at the place of a whole value: there undefined has a form in every notation. */
export function escapedOutput(value: unknown, layer: Layer): unknown {
  return value === undefined ? undefinedForm : escaped(value, layer);
}

function escapedArray(value: readonly unknown[], layer: Layer): readonly unknown[] {
  const [first] = value;
  const looksEscaped = value.length === 2 && typeof first === "string" && first.startsWith("$");
  let result: unknown[] | undefined = looksEscaped ? [`$${first}`, value[1]] : undefined;
  for (let i = looksEscaped ? 1 : 0; i < value.length; i++) {
    const each = escaped(value[i], layer);
    if (each === value[i]) continue;
    result ??= [...value];
    result[i] = each;
  }
  return result ?? value;
}

function escapedRecord(
  value: Readonly<Record<string, unknown>>,
  layer: Layer,
): Readonly<Record<string, unknown>> {
  let result: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const each = escaped(value[key], layer);
    if (each === value[key]) continue;
    result ??= { ...value };
    result[key] = each;
  }
  return result ?? value;
}

/**
 * The value that {@link escaped} made: array forms are replaced in place.
 * @throws ActrError `decode_failure` for a form that is none.
 */
export function revived(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return revivedArray(value);
  const record = value as Record<string, unknown>;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  for (const key of Object.keys(record)) {
    const each = record[key];
    if (typeof each === "object" && each !== null) define(record, key, revived(each));
  }
  return record;
}

/** A plain assignment of `__proto__` would set the prototype. */
function define(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") record[key] = value;
  else
    Object.defineProperty(record, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
}

function revivedArray(value: unknown[]): unknown {
  const [form, content] = value;
  if (value.length === 2 && typeof form === "string" && form.startsWith("$")) {
    return revivedForm(form, content);
  }
  for (let i = 0; i < value.length; i++) value[i] = revived(value[i]);
  return value;
}

function revivedForm(form: string, content: unknown): unknown {
  if (form.startsWith("$$")) return [form.slice(1), revived(content)];
  switch (form) {
    case "$BigInt":
      return bigint(content);
    case "$Uint8Array":
      return bytes(content);
    case "$ArrayBuffer":
      return bytes(content).buffer;
    case "$Undefined":
      return undefined;
    case "$Set":
      if (Array.isArray(content)) return new Set(content.map((each) => revived(each)));
      throw broken(form);
    default:
      throw broken(form);
  }
}

/** Most digits that a number may have: more take a time that grows with their square. */
const maxDigits = 4096;

function bigint(content: unknown): bigint {
  if (typeof content !== "string" || content.length > maxDigits) throw broken("$BigInt");
  if (!/^-?\d+$/.test(content)) throw broken("$BigInt");
  return BigInt(content);
}

function bytes(content: unknown): Uint8Array<ArrayBuffer> {
  const decoded = typeof content === "string" ? fromBase64(content) : undefined;
  if (decoded === undefined) throw broken("$Uint8Array");
  return decoded;
}

function broken(form: string): ActrError {
  const message = `an array that begins with ${JSON.stringify(form.slice(0, 40))} is no value`;
  return new ActrError("decode_failure", message);
}
