import { readUtf8, utf8Length, writeUtf8 } from "../../../protocol/utf8.ts";
import { exceed, trap } from "./trap.ts";

/** `cabi_realloc` of a guest: old place, old size, alignment, size; the new place. */
export type Reallocate = (old: number, had: number, align: number, size: number) => number;

/** Memory that no other thread has, as all of a guest's. */
type UnsharedMemory = WebAssembly.Memory & { readonly buffer: ArrayBuffer };

/**
 * Linear memory of one guest, as its host reads and writes it: little endian, every place and length that the guest
 * names checked. Growth makes views useless, so that `refresh` is due whenever the guest has run.
 */
export class GuestMemory {
  readonly #memory: UnsharedMemory;
  readonly #reallocate: Reallocate;
  /** Most bytes that one call of the guest may hand over. */
  readonly #mostLifted: number;
  #bytes: Uint8Array<ArrayBuffer>;
  /** All of it, for numbers; of no use once the guest has run. */
  view: DataView;
  /** Bytes that were copied out of it since this was set to 0; an element of a list counts as some. */
  lifted = 0;

  constructor(memory: WebAssembly.Memory, reallocate: Reallocate, mostLifted: number) {
    this.#memory = memory as UnsharedMemory;
    this.#reallocate = reallocate;
    this.#mostLifted = mostLifted;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.view = new DataView(this.#memory.buffer);
  }

  /** Bytes that the guest has. */
  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Makes the views anew, if memory has grown. */
  refresh(): void {
    // Growth detaches the old buffer: its views are then empty.
    if (this.#bytes.length !== 0) return;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.view = new DataView(this.#memory.buffer);
  }

  /** Runs the guest to have `size` bytes of it. @throws ActrError fault `trapped` when what it gives is not its own. */
  allocate(align: number, size: number): number {
    const at = this.#reallocate(0, 0, align, size) >>> 0;
    this.refresh();
    this.requireInside(at, size, align);
    return at;
  }

  /** @throws ActrError fault `trapped` when a place is not all inside, or not a multiple of `align`, a power of two. */
  requireInside(at: number, size: number, align: number): void {
    if (at + size > this.#bytes.length) trap(`${size} bytes at ${at} are outside of its memory`);
    if ((at & (align - 1)) !== 0) trap(`${at} is not a multiple of ${align}`);
  }

  /** Writes a text: its place and its length at `at`, its bytes where the guest wants them. */
  lowerText(at: number, text: string): void {
    const length = utf8Length(text);
    const place = this.allocate(1, length);
    writeUtf8(text, this.#bytes.subarray(0, place + length), place);
    this.#lowerList(at, place, length);
  }

  /** Writes bytes, likewise; this is their only copy. */
  lowerBytes(at: number, bytes: Uint8Array): void {
    const place = this.allocate(1, bytes.length);
    this.#bytes.set(bytes, place);
    this.#lowerList(at, place, bytes.length);
  }

  /** Has the guest make room for `count` elements; their place and count go to `at`. */
  lowerElements(at: number, count: number, align: number, size: number): number {
    const place = this.allocate(align, count * size);
    this.#lowerList(at, place, count);
    return place;
  }

  #lowerList(at: number, place: number, length: number): void {
    this.view.setUint32(at, place, true);
    this.view.setUint32(at + 4, length, true);
  }

  /** The text whose place and length are at `at`. */
  liftText(at: number): string {
    return this.textAt(this.view.getUint32(at, true), this.view.getUint32(at + 4, true));
  }

  /** The bytes whose place and length are at `at`: a copy. */
  liftBytes(at: number): Uint8Array<ArrayBuffer> {
    return this.bytesAt(this.view.getUint32(at, true), this.view.getUint32(at + 4, true));
  }

  /** The text of `length` bytes at `place`. @throws ActrError fault `trapped` when that is not UTF-8, or not all inside. */
  textAt(place: number, length: number): string {
    this.#take(place, length);
    return readUtf8(this.#bytes, place, place + length) ?? trap("a text is not UTF-8");
  }

  /** A copy of `length` bytes at `place`. */
  bytesAt(place: number, length: number): Uint8Array<ArrayBuffer> {
    this.#take(place, length);
    return this.#bytes.slice(place, place + length);
  }

  /** The place of the list at `at`, whose elements are then the caller's to read. */
  liftElements(at: number, align: number, size: number): { place: number; count: number } {
    const place = this.view.getUint32(at, true);
    const count = this.view.getUint32(at + 4, true);
    this.requireInside(place, count * size, align);
    this.#count(count * listElementBytes);
    return { place, count };
  }

  #take(place: number, length: number): void {
    this.requireInside(place, length, 1);
    this.#count(length);
  }

  #count(bytes: number): void {
    this.lifted += bytes;
    if (this.lifted > this.#mostLifted) exceed(`a call of more than ${this.#mostLifted} bytes`);
  }
}

/** What an element of a list takes on our side, more or less. */
const listElementBytes = 128;
