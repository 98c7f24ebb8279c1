import { leb, signedLeb } from "./leb.ts";
import { type Added, pointBytesBits, pointElementsBits } from "./meter.ts";
import type { ModuleOutline } from "./outline.ts";

/** A function that is added to a module: its type, and its body with its locals. */
export interface Helper {
  readonly type: readonly number[];
  readonly body: readonly number[];
}

/** What every growth costs, in moved bytes: engines do more than the instruction says. */
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
    charge(added, pointBytesBits),
    charge(added, pointElementsBits),
    ...outline.memories.map((_, index) => growMemory(added, index, memorySizes, pages)),
    ...outline.tables.map(({ type }, index) =>
      growTable(added, index, [...type], tableSizes, limits.tableElements),
    ),
  ];
}

/** Takes a point, and one for each 2^`bits` of its parameter, which it gives back; traps with none left where there are too few. */
function charge({ fuel }: Added, bits: number): Helper {
  const moved = [...localGet(0), ...constant(bits), 0x76];
  const points = [...moved, ...constant(1), 0x6a, ...localSet(1)];
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
  const moved = [...localGet(0), ...constant(pageBits), 0x74, ...call(added.chargeBytes), drop];
  const grow = [...localGet(0), 0x40, ...leb(index)];
  return {
    type: [0x60, 1, i32, 1, i32],
    body: [noLocals, ...growth(added, 0, sizes, pages, [...moved, ...grow])],
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
  const moved = [...localGet(1), ...call(added.chargeElements), drop];
  const grow = [...localGet(0), ...localGet(1), 0xfc, 0x0f, ...leb(index)];
  return {
    type: [0x60, 2, ...type, i32, 1, i32],
    body: [noLocals, ...growth(added, 1, sizes, elements, [...moved, ...grow])],
  };
}

/** What `grow` answers, which grows by the number in local `by`; -1, and counted, where the sum of all would be too much. */
function growth(
  added: Added,
  by: number,
  sizes: number[][],
  most: number,
  grow: number[],
): number[] {
  const cost = [...constant(growthBytes), ...call(added.chargeBytes), drop];
  const sum = sizes.flatMap((size, at) => [...size, 0xad, ...(at > 0 ? [0x7c] : [])]);
  const overLimit = [...sum, ...localGet(by), 0xad, 0x7c, 0x42, ...signedLeb(most), 0x56];
  const deny = [...globalGet(added.denied), ...constant(1), 0x6a, ...globalSet(added.denied)];
  const refuse = [0x04, 0x40, ...deny, ...minusOne, 0x0f, end];
  const failed = [...localGet(by), ...minusOne, 0x46, 0x04, 0x40, ...deny, end];
  return [
    ...[...cost, ...overLimit, ...refuse],
    ...[...grow, ...localSet(by), ...failed, ...localGet(by), end],
  ];
}
