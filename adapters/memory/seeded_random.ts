import type { Random } from "../../src/ports/random.ts";

/** Reproducible randomness for tests: equal seeds give equal sequences on every runtime. Never for secrets. */
export class SeededRandom implements Random {
  #state: number;

  /** @param seed any integer; its low 32 bits count. */
  constructor(seed = 1) {
    this.#state = seed >>> 0;
  }

  next(): number {
    return this.#u32() / 2 ** 32;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.#u32() >>> 24);
  }

  uuid(): string {
    const bytes = this.bytes(16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  /** SplitMix with 32 bits: a Weyl sequence through an avalanche of shifts and products. */
  #u32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
}
