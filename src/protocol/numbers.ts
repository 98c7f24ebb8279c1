const maxU32 = 0xffff_ffff;
const maxU64 = 0xffff_ffff_ffff_ffffn;

/** Whether `value` is an unsigned 32-bit integer. */
export function isU32(value: number): boolean {
  return value >>> 0 === value;
}

/** Whether `value` is an unsigned 64-bit integer. */
export function isU64(value: bigint): boolean {
  return value >= 0n && value <= maxU64;
}

/** A decimal u32 with optional `+` and leading zeros; undefined when `text` is something else. */
export function parseU32(text: string): number | undefined {
  const digits = /^\+?0*([0-9]{1,10})$/.exec(text)?.[1];
  const value = Number(digits);
  return digits !== undefined && value <= maxU32 ? value : undefined;
}

/** A hexadecimal u64 in either case, with optional `+` and leading zeros; undefined when `text` is something else. */
export function parseHexU64(text: string): bigint | undefined {
  const digits = /^\+?0*([0-9a-fA-F]{1,16})$/.exec(text)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}
