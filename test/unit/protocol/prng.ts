/** A small seeded generator (mulberry32), so that every run of a test sees the same cases. */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A u32. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A u64. */
  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** An integer from 0 up to, not including, `end`. */
  below(end: number): number {
    return this.u32() % end;
  }

  /** True once in `n`. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.u32();
    return bytes;
  }

  /** Text of up to `max` characters, mostly ASCII, some of two to four bytes. */
  text(max: number): string {
    let text = "";
    for (let left = this.below(max + 1); left > 0; left--) {
      text += this.oneIn(12) ? this.pick(["é", "ß", "漢", "😀", "\u0000"]) : this.#ascii();
    }
    return text;
  }

  #ascii(): string {
    return String.fromCharCode(32 + this.below(95));
  }
}

/** `bytes` with some of them changed, cut off, doubled or inserted. */
export function mutate(random: Prng, bytes: Uint8Array): Uint8Array {
  const copy = [...bytes];
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(copy.length + 1);
    // Other values are the commonest change: what alters the length is mostly found out at once.
    const kind = random.below(9);
    if (kind < 5) copy[at] = random.below(256);
    else if (kind === 5) copy.splice(at);
    else if (kind === 6) copy.splice(at, 1);
    else if (kind === 7) copy.splice(at, 0, random.below(256));
    else copy.splice(at, 0, ...copy.slice(at, at + random.below(9)));
  }
  return Uint8Array.from(copy);
}
