import { ActrError } from "../../errors.ts";
import { concatBytes } from "../bytes.ts";
import { readUtf8 } from "../utf8.ts";
import { tags, typedArrays } from "./tags.ts";

/** Values nested deeper are refused. */
const maxDepth = 256;

/**
 * The value of CBOR bytes, all of them: the inverse of `encodeCbor`, and whatever else RFC 8949 allows. Integers of
 * 64 bits are bigints, unknown tags are left out, simple values without meaning are undefined.
 * @throws ActrError `decode_failure` for bytes that are no CBOR, or nested too deeply.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const reader = new CborReader(bytes);
  const value = reader.value(0);
  if (reader.left > 0) throw broken(`${reader.left} bytes too many`);
  return value;
}

/** Marks the end of what has no length. */
const breakMark = Symbol("break");

class CborReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  value(depth: number): unknown {
    const value = this.#item(depth);
    if (value === breakMark) throw broken("an end of nothing");
    return value;
  }

  #item(depth: number): unknown {
    if (depth > maxDepth) throw broken("nested too deeply");
    const first = this.#skip(1);
    const byte = this.#bytes[first] as number;
    const info = byte & 31;
    switch (byte >> 5) {
      case 0:
        return this.#integer(info);
      case 1:
        return negative(this.#integer(info));
      case 2:
        return this.#byteString(info);
      case 3:
        return this.#text(info);
      case 4:
        return this.#array(info, depth + 1);
      case 5:
        return this.#record(info, depth + 1);
      case 6:
        return this.#tagged(Number(this.#integer(info)), depth + 1);
      default:
        return this.#simple(info);
    }
  }

  /** An argument; bigint when it was written with 64 bits. */
  #integer(info: number): number | bigint {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.#view.getUint8(this.#skip(1));
      case 25:
        return this.#view.getUint16(this.#skip(2));
      case 26:
        return this.#view.getUint32(this.#skip(4));
      case 27:
        return this.#view.getBigUint64(this.#skip(8));
      default:
        throw broken(`an argument of kind ${info}`);
    }
  }

  /** A length of what follows, each of at least one byte; undefined when its end is marked. */
  #length(info: number): number | undefined {
    if (info === 31) return undefined;
    const length = Number(this.#integer(info));
    if (length > this.left) throw broken(`a length of ${length} with ${this.left} bytes left`);
    return length;
  }

  #byteString(info: number): Uint8Array<ArrayBuffer> {
    const length = this.#length(info);
    if (length !== undefined) {
      const start = this.#skip(length);
      return this.#bytes.slice(start, start + length) as Uint8Array<ArrayBuffer>;
    }
    return concatBytes(this.#parts<Uint8Array>((part) => part instanceof Uint8Array));
  }

  #text(info: number): string {
    const length = this.#length(info);
    if (length === undefined) {
      return this.#parts<string>((part) => typeof part === "string").join("");
    }
    const start = this.#skip(length);
    const text = readUtf8(this.#bytes, start, start + length);
    if (text === undefined) throw broken("a text that is no UTF-8");
    return text;
  }

  #parts<Part>(fits: (part: unknown) => boolean): Part[] {
    const parts: Part[] = [];
    for (let part = this.#item(maxDepth); part !== breakMark; part = this.#item(maxDepth)) {
      if (!fits(part)) throw broken("a part of another kind");
      parts.push(part as Part);
    }
    return parts;
  }

  #array(info: number, depth: number): unknown[] {
    const length = this.#length(info);
    const values: unknown[] = [];
    if (length === undefined) {
      for (let each = this.#item(depth); each !== breakMark; each = this.#item(depth))
        values.push(each);
    } else for (let i = 0; i < length; i++) values.push(this.value(depth));
    return values;
  }

  #record(info: number, depth: number): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    for (const [key, value] of this.#entries(info, depth)) {
      const name = String(key);
      // A plain assignment of this name would set the prototype.
      if (name !== "__proto__") record[name] = value;
      else
        Object.defineProperty(record, name, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
    }
    return record;
  }

  #entries(info: number, depth: number): [unknown, unknown][] {
    const length = this.#length(info);
    const entries: [unknown, unknown][] = [];
    if (length === undefined) {
      for (let key = this.#item(depth); key !== breakMark; key = this.#item(depth)) {
        entries.push([key, this.value(depth)]);
      }
    } else for (let i = 0; i < length; i++) entries.push([this.value(depth), this.value(depth)]);
    return entries;
  }

  #tagged(tag: number, depth: number): unknown {
    if (tag === tags.map) return this.#map(depth);
    const value = this.value(depth);
    switch (tag) {
      case tags.date:
        return new Date(Math.round(Number(value) * 1000));
      case tags.positiveBigInt:
        return bigintOf(value);
      case tags.negativeBigInt:
        return -1n - bigintOf(value);
      case tags.set:
        if (!Array.isArray(value)) throw broken("a set that is no array");
        return new Set(value);
      default:
        return typedArray(tag, value);
    }
  }

  #map(depth: number): Map<unknown, unknown> {
    const byte = this.#bytes[this.#skip(1)] as number;
    if (byte >> 5 !== 5) throw broken("a map that is none");
    return new Map(this.#entries(byte & 31, depth));
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 24:
        this.#skip(1);
        return undefined;
      case 25:
        return half(this.#view.getUint16(this.#skip(2)));
      case 26:
        return this.#view.getFloat32(this.#skip(4));
      case 27:
        return this.#view.getFloat64(this.#skip(8));
      case 31:
        return breakMark;
      default:
        return undefined;
    }
  }

  /** The offset of the next bytes, which are taken. */
  #skip(count: number): number {
    const at = this.#at;
    if (count > this.left) throw broken("cut off");
    this.#at += count;
    return at;
  }
}

function negative(argument: number | bigint): number | bigint {
  return typeof argument === "bigint" ? -1n - argument : -1 - argument;
}

function bigintOf(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) throw broken("a large number that is no bytes");
  let result = 0n;
  for (const byte of value) result = (result << 8n) | BigInt(byte);
  return result;
}

function typedArray(tag: number, value: unknown): unknown {
  const array = typedArrays.get(tag);
  if (array === undefined || !(value instanceof Uint8Array)) return value;
  try {
    return new array(value.buffer as ArrayBuffer);
  } catch {
    throw broken("a typed array of a fraction of numbers");
  }
}

/** A float of 16 bits (RFC 8949, appendix D). */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

function broken(what: string): ActrError {
  return new ActrError("decode_failure", `CBOR: ${what}`);
}
