import { ActrError } from "../../errors.ts";
import { ByteWriter } from "../byte_writer.ts";
import { readUtf8, utf8Length, writeUtf8 } from "../utf8.ts";

/** Writes BARE: little endian, nothing between fields (`spec/actor-client.md` §6). */
export class BareWriter extends ByteWriter {
  bool(value: boolean): this {
    return this.byte(value ? 1 : 0);
  }

  uint(value: bigint): this {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    return this.byte(Number(rest));
  }

  data(value: Uint8Array): this {
    return this.#count(value.length).raw(value);
  }

  str(value: string): this {
    const length = utf8Length(value);
    this.#count(length).reserve(length);
    writeUtf8(value, this.bytes, this.length);
    this.length += length;
    return this;
  }

  optional<T>(value: T | undefined, write: (value: T) => unknown): this {
    this.bool(value !== undefined);
    if (value !== undefined) write(value);
    return this;
  }

  /** As {@link BareWriter.uint}, for what is no longer than memory. */
  #count(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest & 0x7f) | 0x80);
    return this.byte(rest);
  }
}

/** Reads BARE. @throws ActrError `decode_failure`. */
export class BareReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw broken("is cut off");
    this.#at += 1;
    return byte;
  }

  bool(): boolean {
    const byte = this.byte();
    if (byte > 1) throw broken("has a boolean that is none");
    return byte === 1;
  }

  uint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw broken("has a number of more than 64 bits");
  }

  u64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 8n) value |= BigInt(this.byte()) << shift;
    return value;
  }

  data(): Uint8Array {
    const length = Number(this.uint());
    const start = this.#at;
    if (length > this.#bytes.length - start) throw broken("is cut off");
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  str(): string {
    const bytes = this.data();
    const text = readUtf8(bytes, 0, bytes.length);
    if (text === undefined) throw broken("has a text that is no UTF-8");
    return text;
  }

  optional<T>(read: () => T): T | undefined {
    return this.bool() ? read() : undefined;
  }

  /** @throws ActrError `decode_failure` when something is left. */
  end(): void {
    if (this.#at < this.#bytes.length) throw broken("is too long");
  }
}

function broken(what: string): ActrError {
  return new ActrError("decode_failure", `the message ${what}`);
}
