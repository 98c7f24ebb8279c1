import { guestFault } from "../../../fault.ts";
import type { Reader } from "../reader.ts";
import { atomic, codes, extended, type Immediate, immediates, vector } from "./immediates.ts";
import { readValueType, skipBlockType } from "./types.ts";

const longest32 = 5;
const longest64 = 10;
/** In the alignment of an access: that the number of a memory follows. */
const memoryFollows = 0x40;

const prefixed: Readonly<Record<number, Uint8Array>> = {
  [codes.extended]: extended,
  [codes.vector]: vector,
  [codes.atomic]: atomic,
};

/**
 * What follows a code behind a prefix.
 * @throws ActrError with fault `load_failed` for those that are unknown or not for guests.
 */
export function prefixedImmediate(input: Reader, prefix: number, code: number): Immediate {
  const what = prefixed[prefix]?.[code] ?? immediates.unknown;
  if (what === immediates.unknown) throw unknownInstruction(input, prefix, code);
  return what as Immediate;
}

/** The error for an instruction that is not decoded. */
export function unknownInstruction(input: Reader, code: number, behind?: number): Error {
  const number = [code, ...(behind === undefined ? [] : [behind])]
    .map((part) => `0x${part.toString(16).padStart(2, "0")}`)
    .join(" ");
  const problem =
    code === codes.collected
      ? `instruction ${number} works on garbage-collected objects, whose memory cannot be limited`
      : `instruction ${number} is unknown, so its cost cannot be counted`;
  return guestFault(
    "load_failed",
    `${input.what}: ${problem}; build the guest without that feature`,
  );
}

/** Passes over what follows an instruction's code, but for labels and what is behind prefixes. */
export function skipImmediate(input: Reader, what: Immediate): void {
  switch (what) {
    case immediates.none:
      return;
    case immediates.twoIndices:
      input.u32();
      input.u32();
      return;
    case immediates.index:
    case immediates.label:
      input.u32();
      return;
    case immediates.block:
      return skipBlockType(input);
    case immediates.memory:
      return skipMemory(input);
    case immediates.memoryAndLane:
      skipMemory(input);
      input.u8();
      return;
    case immediates.lane:
      input.u8();
      return;
    case immediates.i32:
      return input.skipLeb(longest32);
    case immediates.i64:
      return input.skipLeb(longest64);
    case immediates.bytes4:
      input.skip(4);
      return;
    case immediates.bytes8:
      input.skip(8);
      return;
    case immediates.bytes16:
      input.skip(16);
      return;
    case immediates.heapType:
      input.s33();
      return;
    case immediates.types:
      for (let left = input.count(1_000, "types of values"); left > 0; left--) readValueType(input);
      return;
    case immediates.labels:
    case immediates.catches:
    case immediates.prefix:
    case immediates.unknown:
      throw new TypeError(`immediate ${what} has a reader of its own`);
  }
}

function skipMemory(input: Reader): void {
  const alignment = input.u32();
  if (alignment & memoryFollows) input.u32();
  input.u32();
}
