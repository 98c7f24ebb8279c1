/** What follows an instruction's code. */
export const immediates = {
  /** No instruction of ours: refused by its name or number. */
  unknown: 0,
  none: 1,
  /** Numbers of 32 bits: of locals, functions, types, tables; how many says the entry of two. */
  index: 2,
  twoIndices: 3,
  /** A block's type: a label begins. */
  block: 4,
  /** The number of a label. */
  label: 5,
  labels: 6,
  catches: 7,
  /** A list of types. */
  types: 8,
  /** Alignment, perhaps a memory, offset. */
  memory: 9,
  memoryAndLane: 10,
  lane: 11,
  heapType: 12,
  i32: 13,
  i64: 14,
  bytes4: 15,
  bytes8: 16,
  bytes16: 17,
  prefix: 18,
} as const;

/** One of {@link immediates}. */
export type Immediate = (typeof immediates)[keyof typeof immediates];

/** Codes of instructions that mean something to fuel and limits. */
export const codes = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  returnCallRef: 0x15,
  delegate: 0x18,
  catchAll: 0x19,
  tryTable: 0x1f,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  memoryGrow: 0x40,
  refFunc: 0xd2,
  collected: 0xfb,
  extended: 0xfc,
  vector: 0xfd,
  atomic: 0xfe,
} as const;

/** Codes behind the prefix 0xfc that move or make as much as a number on the stack says. */
export const bulkCodes = {
  memoryInit: 0x08,
  memoryCopy: 0x0a,
  memoryFill: 0x0b,
  tableInit: 0x0c,
  tableCopy: 0x0e,
  tableGrow: 0x0f,
  tableFill: 0x11,
} as const;

type Ranges = readonly (readonly [first: number, last: number, what: Immediate])[];

function table(size: number, ranges: Ranges): Uint8Array {
  const found = new Uint8Array(size);
  for (const [first, last, what] of ranges) found.fill(what, first, last + 1);
  return found;
}

const { none, index, twoIndices, block, label, memory, lane } = immediates;

/** What follows a code of one byte. */
export const plain: Uint8Array = table(0x100, [
  [0x00, 0x01, none],
  [0x02, 0x04, block],
  [0x05, 0x05, none],
  [0x06, 0x06, block],
  [0x07, 0x08, index],
  [0x09, 0x09, label],
  [0x0a, 0x0b, none],
  [0x0c, 0x0d, label],
  [0x0e, 0x0e, immediates.labels],
  [0x0f, 0x0f, none],
  [0x10, 0x10, index],
  [0x11, 0x11, twoIndices],
  [0x12, 0x12, index],
  [0x13, 0x13, twoIndices],
  [0x14, 0x15, index],
  [0x18, 0x18, label],
  [0x19, 0x1b, none],
  [0x1c, 0x1c, immediates.types],
  [0x1f, 0x1f, immediates.catches],
  [0x20, 0x26, index],
  [0x28, 0x3e, memory],
  [0x3f, 0x40, index],
  [0x41, 0x41, immediates.i32],
  [0x42, 0x42, immediates.i64],
  [0x43, 0x43, immediates.bytes4],
  [0x44, 0x44, immediates.bytes8],
  [0x45, 0xc4, none],
  [0xd0, 0xd0, immediates.heapType],
  [0xd1, 0xd1, none],
  [0xd2, 0xd2, index],
  [0xd3, 0xd4, none],
  [0xd5, 0xd6, label],
  [0xfb, 0xfe, immediates.prefix],
]);

/** What follows a code behind the prefix 0xfc: saturating conversions, bulk operations, wide arithmetic. */
export const extended: Uint8Array = table(0x17, [
  [0x00, 0x07, none],
  [0x08, 0x08, twoIndices],
  [0x09, 0x09, index],
  [0x0a, 0x0a, twoIndices],
  [0x0b, 0x0b, index],
  [0x0c, 0x0c, twoIndices],
  [0x0d, 0x0d, index],
  [0x0e, 0x0e, twoIndices],
  [0x0f, 0x11, index],
  [0x13, 0x16, none],
]);

/** What follows a code behind the prefix 0xfd: vectors, relaxed ones too. */
export const vector: Uint8Array = table(0x114, [
  [0x00, 0x0b, memory],
  [0x0c, 0x0d, immediates.bytes16],
  [0x0e, 0x14, none],
  [0x15, 0x22, lane],
  [0x23, 0x53, none],
  [0x54, 0x5b, immediates.memoryAndLane],
  [0x5c, 0x5d, memory],
  [0x5e, 0x113, none],
]);

/** What follows a code behind the prefix 0xfe: atomic operations; a fence has a byte that engines want to be 0. */
export const atomic: Uint8Array = table(0x4f, [
  [0x00, 0x02, memory],
  [0x03, 0x03, lane],
  [0x10, 0x4e, memory],
]);
