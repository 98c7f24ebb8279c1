import { leb, signedLeb } from "./leb.ts";
import { type Added, pointMovedBits } from "./meter.ts";
import type { ModuleOutline } from "./outline.ts";

/** A function that is added to a module: its type, and its body with its locals. */
export interface Helper {
  readonly type: readonly number[];
  readonly body: readonly number[];
}

/** What every growth takes, in moved bytes: engines do more than the instruction says. */
const growthBytes = 0x10000;
const pageBits = 16;
const pageBytes = 2 ** pageBits;

const i32 = 0x7f;
const localGet = (index: number): number[] => [0x20, index];
const localSet = (index: number): number[] => [0x21, index];
const constant = (value: number): number[] => [0x41, ...signedLeb(value)];
const minusOne = [0x41, 0x7f];
const globalGet = (index: number): number[] => [0x23, ...leb(index)];
const globalSet = (index: number): number[] => [0x24, ...leb(index)];
const call = (index: number): number[] => [0x10, ...leb(index)];
const noLocals = 0x00;
const oneLocal = [0x01, 0x01, i32];
const drop = 0x1a;
const end = 0x0b;

/** The functions that are added to a module, in the order of {@link Added}. */
export function helpers(
  outline: ModuleOutline,
  added: Added,
  limits: { readonly memoryBytes: number; readonly tableElements: number },
): Helper[] {
  const pages = Math.floor(limits.memoryBytes / pageBytes);
  const memorySizes = outline.memories.map((_, index) => [0x3f, ...leb(index)]);
  const tableSizes = outline.tables.map((_, index) => [0xfc, 0x10, ...leb(index)]);
  return [
    charge(added),
    ...outline.memories.map((_, index) => growMemory(added, index, memorySizes, pages)),
    ...outline.tables.map(({ type }, index) =>
      growTable(added, index, [...type], tableSizes, limits.tableElements),
    ),
  ];
}

/** Takes a point for each 2^8 of its parameter, which it gives back; traps with no fuel left where there is too little. */
function charge({ fuel }: Added): Helper {
  const points = [...localGet(0), ...constant(pointMovedBits), 0x76, ...localSet(1)];
  const tooLittle = [...globalGet(fuel), ...localGet(1), 0x49];
  const empty = [0x04, 0x40, ...constant(0), ...globalSet(fuel), 0x00, end];
  const take = [...globalGet(fuel), ...localGet(1), 0x6b, ...globalSet(fuel)];
  return {
    type: [0x60, 1, i32, 1, i32],
    body: [...oneLocal, ...points, ...tooLittle, ...empty, ...take, ...localGet(0), end],
  };
}

/** Grows a memory, where the sum of all stays within the limit. */
function growMemory(added: Added, index: number, sizes: number[][], pages: number): Helper {
  const bytes = [...localGet(0), ...constant(pageBits), 0x74];
  const grow = [...localGet(0), 0x40, ...leb(index)];
  return {
    type: [0x60, 1, i32, 1, i32],
    body: [noLocals, ...growth(added, 0, sizes, pages, bytes, grow)],
  };
}

/** Grows a table, where the sum of all stays within the limit. */
function growTable(
  added: Added,
  index: number,
  type: number[],
  sizes: number[][],
  elements: number,
): Helper {
  const grow = [...localGet(0), ...localGet(1), 0xfc, 0x0f, ...leb(index)];
  return {
    type: [0x60, 2, ...type, i32, 1, i32],
    body: [noLocals, ...growth(added, 1, sizes, elements, localGet(1), grow)],
  };
}

/** Grows by the number in local `by`, or counts a denial and answers -1. `moved` is what it costs beside the fixed part. */
function growth(
  added: Added,
  by: number,
  sizes: number[][],
  most: number,
  moved: number[],
  grow: number[],
): number[] {
  const fixedCost = [...constant(growthBytes), ...call(added.charge), drop];
  const cost = [...moved, ...call(added.charge), drop];
  const sum = sizes.flatMap((size, at) => [...size, 0xad, ...(at > 0 ? [0x7c] : [])]);
  const overLimit = [...sum, ...localGet(by), 0xad, 0x7c, 0x42, ...signedLeb(most), 0x56];
  const deny = [...globalGet(added.denied), ...constant(1), 0x6a, ...globalSet(added.denied)];
  const refuse = [0x04, 0x40, ...deny, ...minusOne, 0x0f, end];
  const failed = [...localGet(by), ...minusOne, 0x46, 0x04, 0x40, ...deny, end];
  return [
    ...[...fixedCost, ...overLimit, ...refuse, ...cost],
    ...[...grow, ...localSet(by), ...failed, ...localGet(by), end],
  ];
}
