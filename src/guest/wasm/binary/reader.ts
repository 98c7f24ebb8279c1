import type { ActrError } from "../../../errors.ts";
import { guestFault } from "../../fault.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Longest name, bytes; engines have the same limit. */
const longestName = 100_000;

/** Reads a stretch of a WebAssembly binary, never beyond its end. */
export class Reader {
  readonly bytes: Uint8Array;
  /** Where the next byte is read. */
  at: number;
  readonly end: number;
  /** What is being read, for errors: `the import section of the main module`. */
  readonly what: string;

  constructor(bytes: Uint8Array, at: number, end: number, what: string) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.what = what;
  }

  /** Another reader of what is left to read, under another name. */
  fork(what: string = this.what): Reader {
    return new Reader(this.bytes, this.at, this.end, what);
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** The error that what is read is malformed. */
  malformed(problem: string, at: number = this.at): ActrError {
    return guestFault(
      "load_failed",
      `${this.what}: ${problem} at byte ${at}; the file is damaged or not made by a current tool: build it again`,
    );
  }

  u8(): number {
    const byte = this.bytes[this.at];
    if (this.at >= this.end || byte === undefined) throw this.malformed("ends too early");
    this.at++;
    return byte;
  }

  /** An unsigned LEB128 of 32 bits, at most 5 bytes. */
  u32(): number {
    const byte = this.u8();
    return byte < 0x80 ? byte : this.#longU32(byte);
  }

  #longU32(first: number): number {
    let value = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.u8();
    if (last > 0x0f) throw this.malformed("a number has more than 32 bits");
    return (value | (last << 28)) >>> 0;
  }

  /** A signed LEB128 of 33 bits: types that are named (negative) or numbered. */
  s33(): number {
    let value = 0;
    let weight = 1;
    for (let length = 1; length <= 5; length++) {
      const byte = this.u8();
      value += (byte & 0x7f) * weight;
      weight *= 0x80;
      if (byte < 0x80) return byte & 0x40 ? value - weight : value;
    }
    throw this.malformed("a number has more than 33 bits");
  }

  /** Passes over a LEB128 of at most `longest` bytes. */
  skipLeb(longest: number): void {
    for (let length = 1; length <= longest; length++) if (this.u8() < 0x80) return;
    throw this.malformed(`a number has more than ${longest} bytes`);
  }

  /** Passes over `length` bytes; where they began. */
  skip(length: number): number {
    if (length > this.end - this.at) throw this.malformed(`has less than ${length} further bytes`);
    const start = this.at;
    this.at += length;
    return start;
  }

  /** How many entries follow; each has at least one byte. */
  count(most: number, entries: string): number {
    const count = this.u32();
    if (count > this.end - this.at) throw this.malformed(`has less than ${count} ${entries}`);
    if (count > most) {
      throw guestFault("load_failed", `${this.what}: ${count} ${entries}, at most ${most} may be`);
    }
    return count;
  }

  /** A name: its length, and as many bytes of UTF-8. */
  name(): string {
    const length = this.u32();
    if (length > longestName) throw this.malformed(`a name has ${length} bytes`);
    const start = this.skip(length);
    try {
      return utf8.decode(this.bytes.subarray(start, this.at));
    } catch {
      throw this.malformed("a name is not UTF-8", start);
    }
  }

  /** A reader of the next `length` bytes, which are passed over. */
  part(length: number, what: string): Reader {
    const start = this.skip(length);
    return new Reader(this.bytes, start, this.at, what);
  }

  /** That everything was read. */
  finish(): void {
    if (this.at !== this.end) throw this.malformed("is longer than its content");
  }
}

/** A section: its number, and a reader of its content. */
export interface Section {
  readonly id: number;
  readonly content: Reader;
}

/** The sections that follow the header of a module or component, in order. */
export function* sections(file: Reader): Generator<Section, void, undefined> {
  while (!file.done) {
    const id = file.u8();
    yield { id, content: file.part(file.u32(), `section ${id} of ${file.what}`) };
  }
}
