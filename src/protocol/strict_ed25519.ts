import { toHex } from "./bytes.ts";

/** The prime of the field. */
const prime = 2n ** 255n - 19n;

/** How many points the base point makes. */
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The smaller y of the points of order 8. */
const eighth = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;

/** The y of the eight points whose order divides 8: under such a key, or with such an R, a signature proves nothing. */
const smallOrder: ReadonlySet<bigint> = new Set([0n, 1n, prime - 1n, eighth, prime - eighth]);

/** All bits but the sign of x. */
const yBits = 2n ** 255n - 1n;

/**
 * Whether 32 bytes may be a public key, or the R of a signature: y below the prime, and not of small order. Not whether
 * there is such a point. RFC 8032 leaves these checks open, and WebCrypto makes them on some runtimes only (`spec/guest.md` §18.4).
 */
export function isStrictPoint(encoded: Uint8Array): boolean {
  const y = fromLittleEndian(encoded) & yBits;
  return y < prime && !smallOrder.has(y);
}

/** Whether 32 bytes may be the S of a signature: below the order of the group, or there would be several for one. */
export function isStrictScalar(encoded: Uint8Array): boolean {
  return fromLittleEndian(encoded) < groupOrder;
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}
