import { ActrError } from "../errors.ts";
import { typedArrays } from "../protocol/cbor/tags.ts";

/** Values nested deeper are refused, as those that contain themselves are. */
const maxDepth = 256;

const arrays = new Set<unknown>([Uint8Array, ...typedArrays.values()]);

/** @throws ActrError `actor.unsupported_value`, naming the place, for what CBOR cannot hold. */
export function requireStorable(value: unknown): void {
  if (typeof value === "object" ? value !== null : !isPlain(value)) require(value, "", 0);
}

function isPlain(value: unknown): boolean {
  return typeof value !== "function" && typeof value !== "symbol";
}

function require(value: unknown, path: string, depth: number): void {
  if (typeof value !== "object" || value === null) {
    if (!isPlain(value)) throw unsupported(path, `a ${typeof value}`);
    return;
  }
  if (depth === maxDepth) throw unsupported(path, "nested too deeply, or in a circle");
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) require(value[i], `${path}[${i}]`, depth + 1);
  } else if (value instanceof Map) {
    for (const [key, each] of value) {
      require(key, `${path}.(key)`, depth + 1);
      require(each, `${path}.get(${String(key)})`, depth + 1);
    }
  } else if (value instanceof Set) {
    for (const each of value) require(each, `${path}.(member)`, depth + 1);
  } else if (!isWhole(value)) requireRecord(value, path, depth + 1);
}

/** Data of one piece. */
function isWhole(value: object): boolean {
  return value instanceof Date || value instanceof ArrayBuffer || arrays.has(value.constructor);
}

function requireRecord(value: object, path: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw unsupported(path, `an instance of ${value.constructor?.name ?? "a class"}`);
  }
  for (const [key, each] of Object.entries(value)) {
    require(each, path === "" ? key : `${path}.${key}`, depth);
  }
}

function unsupported(path: string, what: string): ActrError {
  const place = path === "" ? "the value" : path;
  const message = `${place} is ${what}; only data can be stored`;
  return new ActrError("actor.unsupported_value", message, { details: { path } });
}
