import { guestFault } from "../../fault.ts";

/** Bytes of a LEB128 that is written before its value is known. */
const paddedBytes = 5;

/** Writes a WebAssembly binary into one buffer, which grows up to `most` bytes. */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;
  readonly #most: number;

  constructor(expected: number, most: number) {
    this.#bytes = new Uint8Array(Math.min(expected, most));
    this.#most = most;
  }

  /** What was written so far; a view. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  u32(value: number): void {
    this.#reserve(paddedBytes);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  /** The bytes of `source` from `start` to `end`. */
  copy(source: Uint8Array, start = 0, end: number = source.length): void {
    this.#reserve(end - start);
    this.#bytes.set(source.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  /** Leaves room for the length of what follows; what {@link close} takes. */
  open(): number {
    this.#reserve(paddedBytes);
    this.#at += paddedBytes;
    return this.#at;
  }

  /** Writes the length of what was written since {@link open}, over its full width. */
  close(opened: number): void {
    let rest = this.#at - opened;
    for (let at = opened - paddedBytes; at < opened - 1; at++) {
      this.#bytes[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[opened - 1] = rest;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#most) {
      throw guestFault(
        "resource_limit",
        `with its fuel counted the main module has more than ${this.#most} bytes: it has an unusual number of loops or functions; build it for size`,
      );
    }
    const grown = new Uint8Array(Math.min(this.#most, Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.written);
    this.#bytes = grown;
  }
}
