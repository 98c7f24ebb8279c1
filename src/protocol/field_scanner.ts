import { readUtf8 } from "./utf8.ts";
import { wireTypes } from "./wire_writer.ts";

const maxFieldNumber = 2 ** 29 - 1;

/** Reads tags and values out of untrusted bytes; every method tells by `false` that they are malformed. */
export class FieldScanner {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Where the delimited value just read begins. */
  #start = 0;
  number = 0;
  wireType = 0;
  /** Unsigned halves of the number just read; of a delimited value, its length. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Offset of the first byte that was not read yet. */
  get position(): number {
    return this.#at;
  }

  tag(): boolean {
    if (!this.#varint() || this.high !== 0) return false;
    this.number = this.low >>> 3;
    this.wireType = this.low & 7;
    return this.number >= 1 && this.number <= maxFieldNumber;
  }

  /** Reads or passes over the value after a tag. */
  value(): boolean {
    switch (this.wireType) {
      case wireTypes.varint:
        return this.#varint();
      case wireTypes.fixed32:
        return this.#fixed(4);
      case wireTypes.fixed64:
        return this.#fixed(8);
      case wireTypes.delimited:
        return this.#delimited();
      default:
        return false;
    }
  }

  /** The delimited value just read; undefined when it is not UTF-8. */
  text(): string | undefined {
    return readUtf8(this.#bytes, this.#start, this.#at);
  }

  /** The delimited value just read, as a view; what it is after another value is not defined. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#at);
  }

  /** The delimited value just read, each byte as one character; for few bytes. */
  latin1(): string {
    return String.fromCharCode(...this.#bytes.subarray(this.#start, this.#at));
  }

  #varint(): boolean {
    this.low = 0;
    this.high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return false;
      if (!this.#addBits(byte & 0x7f, shift)) return false;
      if (byte < 0x80) return true;
    }
    return false;
  }

  /** Seven bits at their place among 64; false when one falls beyond. */
  #addBits(bits: number, shift: number): boolean {
    if (shift === 63 && bits > 1) return false;
    if (shift < 32) this.low = (this.low | (bits << shift)) >>> 0;
    if (shift === 28) this.high = bits >>> 4;
    else if (shift > 28) this.high = (this.high | (bits << (shift - 32))) >>> 0;
    return true;
  }

  #fixed(size: 4 | 8): boolean {
    if (this.#at + size > this.#bytes.length) return false;
    this.low = this.#u32();
    this.high = size === 8 ? this.#u32() : 0;
    return true;
  }

  #u32(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 8) value |= (this.#bytes[this.#at++] ?? 0) << shift;
    return value >>> 0;
  }

  #delimited(): boolean {
    if (!this.#varint() || this.high !== 0) return false;
    this.#start = this.#at;
    this.#at += this.low;
    return this.#at <= this.#bytes.length;
  }
}
