import { ActrError } from "../../errors.ts";
import { fromBase64, toBase64 } from "../bytes.ts";
import { typedArrays } from "../cbor/tags.ts";

/** Values nested deeper are refused. */
const maxDepth = 256;
/** Most digits that a number may have: more take a time that grows with their square. */
const maxDigits = 4096;

const views = new Map([...typedArrays.values()].map((type) => [type.name, type]));

/**
 * A value as JSON can hold it, whole: what JSON has no form for becomes an array of two, `["$Map", [[key, value], …]]`,
 * `["$Date", milliseconds]`, `["$Number", "NaN"]`, and those of `spec/actor-client.md` §5.1. People read and edit it.
 */
export function plainOf(value: unknown): unknown {
  switch (typeof value) {
    case "bigint":
      return ["$BigInt", String(value)];
    case "undefined":
      return ["$Undefined", 0];
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : ["$Number", numberText(value)];
    case "object":
      return value === null ? null : plainObject(value);
    default:
      return value;
  }
}

/** The value that {@link plainOf} showed. @throws ActrError `actor.invalid_request` for what it never shows. */
export function valueOfPlain(plain: unknown, depth = 0): unknown {
  if (typeof plain !== "object" || plain === null) return plain;
  if (depth > maxDepth) throw invalid("the value is nested too deeply");
  const inner = (each: unknown): unknown => valueOfPlain(each, depth + 1);
  if (!Array.isArray(plain)) {
    const entries = Object.entries(plain).map(([key, each]) => [key, inner(each)] as const);
    return Object.fromEntries(entries);
  }
  const [form, content] = plain;
  if (plain.length !== 2 || typeof form !== "string" || !form.startsWith("$")) {
    return plain.map(inner);
  }
  return form.startsWith("$$")
    ? [form.slice(1), inner(content)]
    : valueOfForm(form, content, inner);
}

function plainObject(value: object): unknown {
  if (Array.isArray(value)) return plainArray(value);
  if (value instanceof Date) return ["$Date", plainOf(value.getTime())];
  if (value instanceof Set) return ["$Set", [...value].map(plainOf)];
  if (value instanceof Map) {
    return ["$Map", [...value].map(([key, each]) => [plainOf(key), plainOf(each)])];
  }
  if (value instanceof ArrayBuffer) return ["$ArrayBuffer", toBase64(new Uint8Array(value))];
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return [`$${value.constructor.name}`, toBase64(bytes)];
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainOf(each)]));
}

function plainArray(value: readonly unknown[]): unknown[] {
  const [first, second] = value;
  const looksLikeForm = value.length === 2 && typeof first === "string" && first.startsWith("$");
  return looksLikeForm ? [`$${first}`, plainOf(second)] : Array.from(value, plainOf);
}

function valueOfForm(form: string, content: unknown, inner: (each: unknown) => unknown): unknown {
  switch (form) {
    case "$BigInt":
      if (typeof content === "string" && content.length <= maxDigits && /^-?\d+$/.test(content)) {
        return BigInt(content);
      }
      break;
    case "$Undefined":
      return undefined;
    case "$Number":
      if (["NaN", "Infinity", "-Infinity", "-0"].includes(String(content))) return Number(content);
      break;
    case "$Date":
      return dateOf(inner(content));
    case "$Set":
      if (Array.isArray(content)) return new Set(content.map(inner));
      break;
    case "$Map":
      if (isPairs(content)) return new Map(content.map(([key, each]) => [inner(key), inner(each)]));
      break;
    default:
      return bytesOfForm(form, content);
  }
  throw broken(form);
}

function bytesOfForm(form: string, content: unknown): unknown {
  const bytes = typeof content === "string" ? fromBase64(content) : undefined;
  if (bytes === undefined) throw broken(form);
  if (form === "$Uint8Array") return bytes;
  if (form === "$ArrayBuffer") return bytes.buffer;
  const type = views.get(form.slice(1));
  if (type === undefined) throw broken(form);
  try {
    return new type(bytes.slice().buffer);
  } catch {
    throw broken(form);
  }
}

function dateOf(ms: unknown): Date {
  if (typeof ms === "number") return new Date(ms);
  throw broken("$Date");
}

function isPairs(content: unknown): content is [unknown, unknown][] {
  return (
    Array.isArray(content) && content.every((each) => Array.isArray(each) && each.length === 2)
  );
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function broken(form: string): ActrError {
  return invalid(`an array that begins with ${JSON.stringify(form.slice(0, 40))} is no value`);
}

function invalid(message: string): ActrError {
  return new ActrError("actor.invalid_request", message);
}
