/** Unix milliseconds of serial number 0: 2023-01-01T00:00:00Z (`spec/protocol.md` §3.3). */
const epochMs = 1_672_531_200_000;

/** The serial number of the `sequence`-th (0 to 255) id that a worker (0 to 31) allocates in the millisecond `unixMs`. @throws RangeError outside these bounds. */
export function serialNumber(unixMs: number, worker: number, sequence: number): bigint {
  if (unixMs < epochMs || worker >>> 5 !== 0 || sequence >>> 8 !== 0) {
    throw new RangeError(`no serial number for ${unixMs} ms, worker ${worker}, number ${sequence}`);
  }
  return (BigInt(unixMs - epochMs) << 13n) | BigInt((worker << 8) | sequence);
}
