import { bytesOf, exactBuffer } from "./bytes.ts";
import type { Native } from "./native.ts";

/** Longest line that is passed on, UTF-16 units. */
const longestLine = 8_192;

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** A console whose lines are the node's, on behalf of the entry that runs. */
function makeConsole(native: Native): object {
  const write =
    (level: string) =>
    (...values: unknown[]): void =>
      // A text that crosses over ends at a NUL.
      native.log(
        level,
        values.map(shown).join(" ").slice(0, longestLine).replaceAll("\0", "\ufffd"),
      );
  return {
    debug: write("debug"),
    error: write("error"),
    info: write("info"),
    log: write("info"),
    trace: write("trace"),
    warn: write("warn"),
  };
}

/** Joins with NUL bytes what stood between them. */
function joined(parts: readonly ArrayBuffer[]): Uint8Array {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, parts.length - 1);
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(bytesOf(part), at);
    at += part.byteLength + 1;
  }
  return all;
}

/** Text without halves of surrogate pairs. */
function wellFormed(text: string): string {
  return Reflect.apply(Reflect.get(String.prototype, "toWellFormed"), text, []);
}

function makeTextEncoder(native: Native): unknown {
  class TextEncoder {
    readonly encoding = "utf-8";

    encode(text: unknown = ""): Uint8Array {
      const whole = wellFormed(`${text}`);
      if (!whole.includes("\0")) return bytesOf(native.encode(whole));
      return joined(whole.split("\0").map((part) => native.encode(part)));
    }

    encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
      let [read, written] = [0, 0];
      for (const character of text) {
        const bytes = this.encode(character);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += character.length;
      }
      return { read, written };
    }
  }
  return TextEncoder;
}

/** The bytes of a view of any kind. */
function viewed(input: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(input)) return new Uint8Array(input);
  return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
}

function makeTextDecoder(native: Native): unknown {
  class TextDecoder {
    readonly encoding = "utf-8";
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;

    constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
      if (!/^\s*utf-?8\s*$/i.test(label)) throw new RangeError(`${label} is not known: use utf-8`);
      this.fatal = options.fatal === true;
      this.ignoreBOM = options.ignoreBOM === true;
    }

    decode(input?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string {
      if (options?.stream === true)
        throw new TypeError("parts of a text are not decoded: join them");
      const text = input === undefined ? "" : this.#whole(viewed(input));
      return text.startsWith("\ufeff") && !this.ignoreBOM ? text.slice(1) : text;
    }

    #whole(bytes: Uint8Array): string {
      let [text, from] = ["", 0];
      for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, from)) {
        text += `${this.#part(bytes.subarray(from, at))}\0`;
        from = at + 1;
      }
      return text + this.#part(from === 0 ? bytes : bytes.subarray(from));
    }

    #part(bytes: Uint8Array): string {
      const text = native.decode(exactBuffer(bytes, "the input"), this.fatal);
      if (text === undefined) throw new TypeError("the bytes are not UTF-8");
      return text;
    }
  }
  return TextDecoder;
}

/** What guests find beside the language: nothing that reaches out of them but lines for the log. */
export function globals(native: Native): Record<string, unknown> {
  return {
    console: makeConsole(native),
    queueMicrotask: (task: () => void): void => void Promise.resolve().then(() => task()),
    TextDecoder: makeTextDecoder(native),
    TextEncoder: makeTextEncoder(native),
  };
}
