import { ByteWriter } from "../byte_writer.ts";
import { utf8Length, writeUtf8 } from "../utf8.ts";

/** Heads, texts and numbers of CBOR (RFC 8949 §3). */
export class CborWriter extends ByteWriter {
  /** The first byte and the shortest form of its argument, a whole number of at most 53 bits. */
  head(majorType: number, argument: number): void {
    this.reserve(9);
    const major = majorType << 5;
    if (argument < 24) this.bytes[this.length++] = major | argument;
    else if (argument < 0x100) {
      this.bytes[this.length++] = major | 24;
      this.bytes[this.length++] = argument;
    } else if (argument < 0x1_0000) {
      this.bytes[this.length++] = major | 25;
      this.view.setUint16(this.length, argument);
      this.length += 2;
    } else if (argument < 0x1_0000_0000) {
      this.bytes[this.length++] = major | 26;
      this.view.setUint32(this.length, argument);
      this.length += 4;
    } else this.#uint64(major | 27, BigInt(argument));
  }

  /** The first byte and an argument of 64 bits, however small it is. */
  longHead(majorType: number, argument: bigint): void {
    this.reserve(9);
    this.#uint64((majorType << 5) | 27, argument);
  }

  double(value: number): void {
    this.reserve(9);
    this.bytes[this.length++] = 0xfb;
    this.view.setFloat64(this.length, value);
    this.length += 8;
  }

  text(value: string): void {
    const length = utf8Length(value);
    this.head(3, length);
    this.reserve(length);
    writeUtf8(value, this.bytes, this.length);
    this.length += length;
  }

  byteString(value: Uint8Array): void {
    this.head(2, value.length);
    this.raw(value);
  }

  #uint64(first: number, argument: bigint): void {
    this.bytes[this.length++] = first;
    this.view.setBigUint64(this.length, argument);
    this.length += 8;
  }
}
