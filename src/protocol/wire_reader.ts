import { ActrError } from "../errors.ts";
import { readUtf8 } from "./utf8.ts";
import { wireTypes } from "./wire_writer.ts";

const two32 = 0x1_0000_0000;
const maxGroupDepth = 32;

/** Reads protobuf fields out of untrusted bytes, without copying. Every method throws ActrError `decode_failure`, nothing else. */
export class WireReader {
  readonly #what: string;
  readonly #bytes: Uint8Array;
  #at = 0;
  #end: number;
  #low = 0;
  #high = 0;

  /** `what` names the message in errors. */
  constructor(what: string, bytes: Uint8Array) {
    this.#what = what;
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Whether the current message has no more fields. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The next tag: field number times eight plus wire type. */
  tag(): number {
    this.#varint();
    const value = this.#low;
    if (this.#high !== 0 || value < 8) this.#fail(`bad tag ${this.#high * two32 + value}`);
    return value;
  }

  /** Low 32 bits of a varint, unsigned. */
  uint32(): number {
    this.#varint();
    return this.#low;
  }

  /** An unsigned 64-bit varint. */
  uint64(): bigint {
    this.#varint();
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  /** A signed 64-bit varint as a number, clamped to what a number holds exactly. */
  int64(): number {
    this.#varint();
    const value = (this.#high | 0) * two32 + this.#low;
    return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  }

  /** A view of length-delimited bytes. */
  bytes(): Uint8Array {
    const start = this.#delimited();
    return this.#bytes.subarray(start, this.#at);
  }

  /** Length-delimited UTF-8. */
  string(): string {
    const start = this.#delimited();
    const text = readUtf8(this.#bytes, start, this.#at);
    return text ?? this.#fail("a string is not UTF-8");
  }

  /** Reads a nested message: `read` sees only its bytes and is to consume them until {@link WireReader.done}. */
  message<T>(read: (reader: WireReader) => T): T {
    const start = this.#delimited();
    const outerEnd = this.#end;
    const innerEnd = this.#at;
    this.#at = start;
    this.#end = innerEnd;
    const value = read(this);
    this.#end = outerEnd;
    return value;
  }

  /** Skips the value of a field that nobody knows. */
  skip(tag: number): void {
    this.#skip(tag, 0);
  }

  #skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case wireTypes.varint:
        this.#varint();
        break;
      case wireTypes.fixed64:
        this.#advance(8);
        break;
      case wireTypes.delimited:
        this.#delimited();
        break;
      case wireTypes.groupStart:
        this.#skipGroup(tag, depth + 1);
        break;
      case wireTypes.fixed32:
        this.#advance(4);
        break;
      default:
        this.#fail(`bad tag ${tag}`);
    }
  }

  #skipGroup(start: number, depth: number): void {
    if (depth > maxGroupDepth) this.#fail(`groups nested deeper than ${maxGroupDepth}`);
    const groupEnd = start - wireTypes.groupStart + wireTypes.groupEnd;
    for (let tag = this.tag(); tag !== groupEnd; tag = this.tag()) this.#skip(tag, depth);
  }

  /** Passes over a length and as many bytes; returns where these begin. */
  #delimited(): number {
    this.#varint();
    const start = this.#at;
    this.#advance(this.#high === 0 ? this.#low : Number.POSITIVE_INFINITY);
    return start;
  }

  #advance(length: number): void {
    if (length > this.#end - this.#at) this.#fail("truncated");
    this.#at += length;
  }

  /** Reads a varint into its two unsigned halves. */
  #varint(): void {
    let low = 0;
    this.#high = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#low = low;
        return;
      }
    }
    const middle = this.#byte();
    this.#low = (low | (middle << 28)) >>> 0;
    this.#high = (middle & 0x7f) >> 4;
    if (middle >= 0x80) this.#upperVarint();
  }

  /** Reads what a varint has beyond its fifth byte. */
  #upperVarint(): void {
    let high = this.#high;
    for (let shift = 3; shift < 32; shift += 7) {
      const byte = this.#byte();
      high |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#high = high >>> 0;
        return;
      }
    }
    this.#fail("a varint is longer than ten bytes");
  }

  #byte(): number {
    if (this.#at >= this.#end) this.#fail("truncated");
    return this.#bytes[this.#at++] as number;
  }

  #fail(reason: string): never {
    throw new ActrError("decode_failure", `${this.#what}: ${reason} at byte ${this.#at}`);
  }
}
