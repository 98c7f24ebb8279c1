const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Up to this many characters a plain loop beats a call into the runtime: to read, and to write. */
const shortRead = 24;
const shortWrite = 40;

/** Short texts that were read last, each at its place: the names of routes and keys come again with every message. */
const known: string[] = new Array<string>(256).fill("");

/** Length in bytes of `text` in UTF-8; an unpaired surrogate counts as the three bytes of U+FFFD. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    // The second half of a pair is part of the four bytes of the first.
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i++;
  }
  return length;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Writes `text` into `target` from offset `at`, as far as there is room; returns the bytes written. */
export function writeUtf8(text: string, target: Uint8Array, at: number): number {
  if (text.length <= shortWrite && writeAscii(text, target, at)) return text.length;
  return encoder.encodeInto(text, target.subarray(at)).written;
}

function writeAscii(text: string, target: Uint8Array, at: number): boolean {
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    target[at + i] = unit;
    bits |= unit;
  }
  return bits < 0x80;
}

/** Text of the bytes from `start` to `end`; undefined when they are not valid UTF-8. A byte order mark is kept. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= shortRead) {
    const text = readShort(bytes, start, end);
    if (text !== undefined) return text;
  }
  const part = bytes.subarray(start, end);
  const text = decoder.decode(part);
  // The lenient decoder is the faster one; only a replacement character leaves a doubt.
  return text.includes("\ufffd") ? decodeStrictly(part) : text;
}

/** Text that was read before is told by its bytes, which costs less than to make it anew. */
function readShort(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (start === end) return "";
  const place = placeOf(bytes, start, end);
  const last = known[place] ?? "";
  if (isSame(last, bytes, start, end)) return last;
  const text = readShortAscii(bytes, start, end);
  if (text !== undefined) known[place] = text;
  return text;
}

/** By its length and three of its bytes. */
function placeOf(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] as number;
  const middle = bytes[(start + end) >> 1] as number;
  const last = bytes[end - 1] as number;
  return (first * 7 + middle * 3 + last + (end - start) * 31) & (known.length - 1);
}

function isSame(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) !== bytes[start + at]) return false;
  }
  return true;
}

function readShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const a = bytes[at] as number;
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    if ((a | b | c | d) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d);
  }
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}
