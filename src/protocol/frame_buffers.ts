/**
 * Bytes from which on a frame has a buffer that is used again. A new one for each would have V8 mark everything several
 * times a second, 10 to 40 ms of the only thread each time.
 */
export const borrowedFromBytes = 16_384;

/** Lengths of buffers are multiples of so many bytes, so that one serves frames of similar length. */
const stepBytes = 16_384;

/** Longest buffer that is kept, and all that are kept, bytes. */
const longestKeptBytes = 1_048_576;
const maxKeptBytes = 4_194_304;

/** Room on both sides of what {@link borrowWithRoom} gives, bytes: most envelopes fit around it. */
const roomBytes = 512;

/** Buffers that nobody uses, by length. */
const kept = new Map<number, ArrayBuffer[]>();
let keptBytes = 0;
/** Buffers that may be given back. */
const borrowed = new WeakSet<ArrayBufferLike>();
/** Those of them with room around what was asked for. */
const roomy = new WeakSet<ArrayBufferLike>();

/** `size` bytes of a buffer that may be used again, with whatever it held before: write all of them. */
export function borrow(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(borrowBuffer(size), 0, size);
}

/** The same with room for {@link widen} around it. */
export function borrowWithRoom(size: number): Uint8Array<ArrayBuffer> {
  const buffer = borrowBuffer(size + 2 * roomBytes);
  roomy.add(buffer);
  return new Uint8Array(buffer, roomBytes, size);
}

/** `bytes` with so many more before and behind them, in the same buffer; undefined where that has no room, or has given it before. */
export function widen(
  bytes: Uint8Array,
  before: number,
  behind: number,
): Uint8Array<ArrayBuffer> | undefined {
  if (bytes.length < borrowedFromBytes || before > roomBytes || behind > roomBytes)
    return undefined;
  const { buffer, byteOffset, length } = bytes;
  if (!roomy.delete(buffer)) return undefined;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset - before, before + length + behind);
}

/** A borrowed buffer in some hands, at first those of who has made the loan: used again when all have let go. */
export class BufferLoan {
  readonly #bytes: Uint8Array;
  readonly #lent: { readonly released: () => void };
  #hands = 1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#lent = { released: () => this.release() };
  }

  /** Hands it to one more, who is to call `released` once when nobody there looks at the bytes any more. */
  lend(): { readonly released: () => void } {
    this.#hands += 1;
    return this.#lent;
  }

  /** Lets go, on the part of who has made the loan: once. */
  release(): void {
    this.#hands -= 1;
    if (this.#hands === 0) giveBack(this.#bytes);
  }
}

/** A loan of the buffer of `bytes`; undefined where it was not borrowed, or is back. For who has borrowed it. */
export function loanOf(bytes: Uint8Array): BufferLoan | undefined {
  if (bytes.length < borrowedFromBytes || !borrowed.has(bytes.buffer)) return undefined;
  return new BufferLoan(bytes);
}

/** Leaves `bytes` to who has them: no frame is made around them, so that their buffer is never used again. */
export function letGo({ buffer }: Uint8Array): void {
  roomy.delete(buffer);
}

function giveBack({ buffer }: Uint8Array): void {
  if (!borrowed.delete(buffer)) return;
  const bytes = buffer.byteLength;
  if (bytes > longestKeptBytes || keptBytes + bytes > maxKeptBytes) return;
  keptBytes += bytes;
  const sameLength = kept.get(bytes);
  if (sameLength === undefined) kept.set(bytes, [buffer as ArrayBuffer]);
  else sameLength.push(buffer as ArrayBuffer);
}

function borrowBuffer(size: number): ArrayBuffer {
  const bytes = Math.ceil(size / stepBytes) * stepBytes;
  const known = kept.get(bytes)?.pop();
  if (known !== undefined) keptBytes -= bytes;
  const buffer = known ?? new ArrayBuffer(bytes);
  borrowed.add(buffer);
  return buffer;
}
