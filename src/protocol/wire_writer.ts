import { utf8Length, writeUtf8 } from "./utf8.ts";

/** Protobuf wire types (`spec/protocol.md` §2.1). */
export const wireTypes = {
  varint: 0,
  fixed64: 1,
  delimited: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const;

const two32 = 0x1_0000_0000;

/** The number that precedes a field: its number and how its value is laid out. */
export function tag(field: number, type: (typeof wireTypes)[keyof typeof wireTypes]): number {
  return field * 8 + type;
}

/** Bytes of a varint of an unsigned 32-bit value. */
export function varint32Size(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Bytes of a varint of a 64-bit value given as its two unsigned halves. */
export function varint64Size(low: number, high: number): number {
  if (high === 0) return varint32Size(low);
  if (high < 0x8) return 5;
  if (high < 0x400) return 6;
  if (high < 0x2_0000) return 7;
  if (high < 0x100_0000) return 8;
  return high < 0x8000_0000 ? 9 : 10;
}

/** Low half of a whole number as 64-bit two's complement. */
export function lowHalf(value: number): number {
  return value >>> 0;
}

/** High half of a whole number as 64-bit two's complement. */
export function highHalf(value: number): number {
  return Math.floor(value / two32) >>> 0;
}

/** Bytes of a length-delimited value of `length` bytes: its length, then itself. */
export function delimitedSize(length: number): number {
  return varint32Size(length) + length;
}

/** Bytes of a string value with its length. */
export function stringSize(text: string): number {
  return delimitedSize(utf8Length(text));
}

/** Writes protobuf fields into a buffer of exactly the size that was computed before. */
export class WireWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  /** `bytes` is the buffer to fill, of the computed size. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** The message. @throws RangeError when fewer or more bytes were written than announced: a defect of the codec. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#at !== this.#bytes.length) {
      throw new RangeError(`wrote ${this.#at} bytes into a message of ${this.#bytes.length}`);
    }
    return this.#bytes;
  }

  /** A tag, a length or an unsigned 32-bit value. */
  varint32(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  /** A 64-bit value given as its two unsigned halves. */
  varint64(low: number, high: number): void {
    let [lowRest, highRest] = [low, high];
    while (highRest !== 0) {
      this.#bytes[this.#at++] = (lowRest & 0x7f) | 0x80;
      lowRest = ((lowRest >>> 7) | (highRest << 25)) >>> 0;
      highRest >>>= 7;
    }
    this.varint32(lowRest);
  }

  /** A string with its length. */
  string(text: string): void {
    // Most strings fit a length of one byte, which is then known only after writing: no second look at the text.
    const length = text.length < 0x80 ? writeUtf8(text, this.#bytes, this.#at + 1) : 0x80;
    if (length < 0x80) {
      this.#bytes[this.#at] = length;
      this.#at += 1 + length;
    } else this.#longString(text);
  }

  #longString(text: string): void {
    this.varint32(utf8Length(text));
    this.#at += writeUtf8(text, this.#bytes, this.#at);
  }

  /** Bytes with their length; those that are in their place already stay there. */
  bytes(value: Uint8Array): void {
    this.varint32(value.length);
    const { buffer, byteOffset } = this.#bytes;
    const inPlace = value.buffer === buffer && value.byteOffset === byteOffset + this.#at;
    if (!inPlace) this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }
}
