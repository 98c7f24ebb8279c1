/** The only source of randomness. Adapters supply the system's cryptographic one; tests a seeded one. */
export interface Random {
  /** A float in [0, 1), for jitter. Not for secrets. */
  next(): number;
  /** `length` random bytes, fit for secrets on system adapters. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /** A version 4 UUID in canonical text form. */
  uuid(): string;
}
