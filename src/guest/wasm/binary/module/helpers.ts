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
/** Bytes of a page of memory. */
export const pageBytes: number = 2 ** pageBits;

const i32 = 0x7f;
const noLocals = 0x00;
const oneLocal = [0x01, 0x01, i32];

/** Instructions, by the names that the specification of WebAssembly has for them. */
const op = {
  unreachable: 0x00,
  ifEmpty: [0x04, 0x40],
  end: 0x0b,
  return: 0x0f,
  drop: 0x1a,
  i32Equal: 0x46,
  i32LessUnsigned: 0x49,
  i64GreaterUnsigned: 0x56,
  i32Add: 0x6a,
  i32Subtract: 0x6b,
  i32ShiftLeft: 0x74,
  i32ShiftRightUnsigned: 0x76,
  i64Add: 0x7c,
  i64ExtendUnsigned: 0xad,
} as const;
const localGet = (index: number): number[] => [0x20, index];
const localSet = (index: number): number[] => [0x21, index];
const constant = (value: number): number[] => [0x41, ...signedLeb(value)];
const wideConstant = (value: number): number[] => [0x42, ...signedLeb(value)];
const minusOne = [0x41, 0x7f];
const globalGet = (index: number): number[] => [0x23, ...leb(index)];
const globalSet = (index: number): number[] => [0x24, ...leb(index)];
const call = (index: number): number[] => [0x10, ...leb(index)];
const memorySize = (index: number): number[] => [0x3f, ...leb(index)];
const memoryGrow = (index: number): number[] => [0x40, ...leb(index)];
const tableSize = (index: number): number[] => [0xfc, 0x10, ...leb(index)];
const tableGrow = (index: number): number[] => [0xfc, 0x0f, ...leb(index)];

/** The functions that are added to a module, in the order of {@link Added}. */
export function helpers(
  outline: ModuleOutline,
  added: Added,
  limits: { readonly memoryBytes: number; readonly tableElements: number },
): Helper[] {
  const pages = Math.floor(limits.memoryBytes / pageBytes);
  const memorySizes = outline.memories.map((_, index) => memorySize(index));
  const tableSizes = outline.tables.map((_, index) => tableSize(index));
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
  const moved = [...localGet(0), ...constant(bits), op.i32ShiftRightUnsigned];
  const points = [...moved, ...constant(1), op.i32Add, ...localSet(1)];
  const tooFew = [...globalGet(fuel), ...localGet(1), op.i32LessUnsigned];
  const trap = [...op.ifEmpty, ...constant(0), ...globalSet(fuel), op.unreachable, op.end];
  const take = [...globalGet(fuel), ...localGet(1), op.i32Subtract, ...globalSet(fuel)];
  return {
    type: [0x60, 1, i32, 1, i32],
    body: [...oneLocal, ...points, ...tooFew, ...trap, ...take, ...localGet(0), op.end],
  };
}

/** Grows a memory, where the sum of all stays within the limit. */
function growMemory(added: Added, index: number, sizes: number[][], pages: number): Helper {
  const bytes = [...localGet(0), ...constant(pageBits), op.i32ShiftLeft];
  const paid = [...bytes, ...call(added.chargeBytes), op.drop];
  const grow = [...paid, ...localGet(0), ...memoryGrow(index)];
  return {
    type: [0x60, 1, i32, 1, i32],
    body: [noLocals, ...growth(added, 0, sizes, pages, grow)],
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
  const paid = [...localGet(1), ...call(added.chargeElements), op.drop];
  const grow = [...paid, ...localGet(0), ...localGet(1), ...tableGrow(index)];
  return {
    type: [0x60, 2, ...type, i32, 1, i32],
    body: [noLocals, ...growth(added, 1, sizes, elements, grow)],
  };
}

/** What `grow` answers, which grows by the number in local `by`; -1, and counted, where the sum of all would be over `most`. */
function growth(
  added: Added,
  by: number,
  sizes: number[][],
  most: number,
  grow: number[],
): number[] {
  const cost = [...constant(growthBytes), ...call(added.chargeBytes), op.drop];
  const parts = [...sizes, localGet(by)].map((part) => [...part, op.i64ExtendUnsigned]);
  const sum = parts.flatMap((part, at) => (at === 0 ? part : [...part, op.i64Add]));
  const overLimit = [...sum, ...wideConstant(most), op.i64GreaterUnsigned];
  const one = [...constant(1), op.i32Add];
  const deny = [...globalGet(added.denied), ...one, ...globalSet(added.denied)];
  const refuse = [...op.ifEmpty, ...deny, ...minusOne, op.return, op.end];
  const failed = [...localGet(by), ...minusOne, op.i32Equal, ...op.ifEmpty, ...deny, op.end];
  return [
    ...[...cost, ...overLimit, ...refuse],
    ...[...grow, ...localSet(by), ...failed, ...localGet(by), op.end],
  ];
}
