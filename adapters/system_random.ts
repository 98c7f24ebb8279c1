import type { Random } from "../src/ports/random.ts";

/** Most bytes that one call of `getRandomValues` fills. */
const longestFill = 65_536;

/** The system's cryptographic randomness; `next` is the runtime's fast generator, not for secrets. */
export function systemRandom(): Random {
  return { next: () => Math.random(), bytes, uuid: () => crypto.randomUUID() };
}

function bytes(length: number): Uint8Array<ArrayBuffer> {
  const filled = new Uint8Array(length);
  for (let at = 0; at < length; at += longestFill) {
    crypto.getRandomValues(filled.subarray(at, at + longestFill));
  }
  return filled;
}
