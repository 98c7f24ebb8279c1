import { utf8Length, writeUtf8 } from "../utf8.ts";

const firstCapacity = 256;

/** Bytes that grow as they are written: heads, texts and numbers of CBOR (RFC 8949 §3). */
export class CborWriter {
  #bytes = new Uint8Array(firstCapacity);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** The first byte and the shortest form of its argument, a whole number of at most 53 bits. */
  head(majorType: number, argument: number): void {
    this.#reserve(9);
    const major = majorType << 5;
    if (argument < 24) this.#bytes[this.#length++] = major | argument;
    else if (argument < 0x100) {
      this.#bytes[this.#length++] = major | 24;
      this.#bytes[this.#length++] = argument;
    } else if (argument < 0x1_0000) {
      this.#bytes[this.#length++] = major | 25;
      this.#view.setUint16(this.#length, argument);
      this.#length += 2;
    } else if (argument < 0x1_0000_0000) {
      this.#bytes[this.#length++] = major | 26;
      this.#view.setUint32(this.#length, argument);
      this.#length += 4;
    } else this.#uint64(major | 27, BigInt(argument));
  }

  /** The first byte and an argument of 64 bits, however small it is. */
  longHead(majorType: number, argument: bigint): void {
    this.#reserve(9);
    this.#uint64((majorType << 5) | 27, argument);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  double(value: number): void {
    this.#reserve(9);
    this.#bytes[this.#length++] = 0xfb;
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  text(value: string): void {
    const length = utf8Length(value);
    this.head(3, length);
    this.#reserve(length);
    writeUtf8(value, this.#bytes, this.#length);
    this.#length += length;
  }

  byteString(value: Uint8Array): void {
    this.head(2, value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  #uint64(first: number, argument: bigint): void {
    this.#bytes[this.#length++] = first;
    this.#view.setBigUint64(this.#length, argument);
    this.#length += 8;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
