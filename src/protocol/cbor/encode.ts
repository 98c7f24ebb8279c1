import { ActrError } from "../../errors.ts";
import { tags, typedArrays } from "./tags.ts";
import { CborWriter } from "./writer.ts";

/** Values nested deeper are refused, as those that contain themselves are. */
const maxDepth = 256;

const tagOfArray = new Map([...typedArrays].map(([tag, array]) => [array as unknown, tag]));

/** The writer that was used last, for the next value: most are small, and a buffer costs more than they do. */
const spare: CborWriter[] = [];

/**
 * A value as CBOR (RFC 8949): what JSON has, and undefined, bigint, bytes, Date, Map, Set and typed arrays.
 * Whole numbers beyond 32 bits are doubles, since readers take integers of 64 bits for bigints.
 * @throws ActrError `actor.unsupported_value`, naming the place, for everything else: functions, symbols, instances
 * of classes, circles.
 */
export function encodeCbor(value: unknown): Uint8Array<ArrayBuffer> {
  const writer = spare.pop() ?? new CborWriter();
  try {
    write(writer, value, "", 0);
    return writer.finish();
  } finally {
    writer.clear();
    // A getter of the value may have encoded something else meanwhile.
    if (spare.length === 0) spare.push(writer);
  }
}

function write(writer: CborWriter, value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case "string":
      return writer.text(value);
    case "number":
      return number(writer, value);
    case "boolean":
      writer.byte(value ? 0xf5 : 0xf4);
      return;
    case "undefined":
      writer.byte(0xf7);
      return;
    case "bigint":
      return bigint(writer, value);
    case "object":
      if (value !== null) return object(writer, value, path, depth + 1);
      writer.byte(0xf6);
      return;
    default:
      throw unsupported(path, `a ${typeof value}`);
  }
}

function number(writer: CborWriter, value: number): void {
  if (Number.isInteger(value) && !Object.is(value, -0)) {
    if (value >= 0 && value < 0x1_0000_0000) return writer.head(0, value);
    if (value < 0 && value >= -0x1_0000_0000) return writer.head(1, -1 - value);
  }
  writer.double(value);
}

function bigint(writer: CborWriter, value: bigint): void {
  const negative = value < 0n;
  const argument = negative ? -1n - value : value;
  if (argument < 1n << 64n) return writer.longHead(negative ? 1 : 0, argument);
  writer.head(6, negative ? tags.negativeBigInt : tags.positiveBigInt);
  writer.byteString(bytesOf(argument));
}

/** Big endian, without leading zeros. */
function bytesOf(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function object(writer: CborWriter, value: object, path: string, depth: number): void {
  if (depth > maxDepth) throw unsupported(path, "nested too deeply, or in a circle");
  if (Array.isArray(value)) {
    writer.head(4, value.length);
    for (let i = 0; i < value.length; i++) write(writer, value[i], `${path}[${i}]`, depth);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return record(writer, value, path, depth);
  }
  if (value instanceof Uint8Array) return writer.byteString(value);
  if (value instanceof Date) {
    writer.head(6, tags.date);
    return number(writer, value.getTime() / 1000);
  }
  if (value instanceof Map) return map(writer, value, path, depth);
  if (value instanceof Set) {
    writer.head(6, tags.set);
    return write(writer, [...value], path, depth);
  }
  if (value instanceof ArrayBuffer) return writer.byteString(new Uint8Array(value));
  // Not `ArrayBuffer.isView`, which sees through no proxy.
  const tag = tagOfArray.get(value.constructor);
  if (tag !== undefined) return typedArray(writer, tag, value as ArrayBufferView);
  throw unsupported(path, `an instance of ${value.constructor?.name ?? "a class"}`);
}

function record(writer: CborWriter, value: object, path: string, depth: number): void {
  const keys = Object.keys(value);
  writer.head(5, keys.length);
  for (const key of keys) {
    writer.text(key);
    write(
      writer,
      (value as Record<string, unknown>)[key],
      path === "" ? key : `${path}.${key}`,
      depth,
    );
  }
}

function map(
  writer: CborWriter,
  value: ReadonlyMap<unknown, unknown>,
  path: string,
  depth: number,
): void {
  writer.head(6, tags.map);
  writer.head(5, value.size);
  for (const [key, each] of value) {
    write(writer, key, `${path}.(key)`, depth);
    write(writer, each, `${path}.get(${String(key)})`, depth);
  }
}

function typedArray(writer: CborWriter, tag: number, value: ArrayBufferView): void {
  writer.head(6, tag);
  writer.byteString(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function unsupported(path: string, what: string): ActrError {
  const place = path === "" ? "the value" : path;
  const message = `${place} is ${what}; only data can be stored and sent`;
  return new ActrError("actor.unsupported_value", message, { details: { path } });
}
