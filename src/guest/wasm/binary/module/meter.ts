import { leb, signedLeb } from "./leb.ts";
import type { ModuleOutline } from "./outline.ts";

/** Most instructions that run for one point of fuel: as many as one entry of a function, or turn of a loop, may be long. */
export const pointInstructions = 128;

/** Bytes that one instruction moves for a point, beside its own: 2 to this power. */
export const pointBytesBits = 8;

/** Elements of tables that one instruction moves for a point, beside its own: 2 to this power. */
export const pointElementsBits = 3;

/** What throwing costs, in moved bytes. */
const exceptionBytes = 0x4000;

/** What a local costs at each entry, in moved bytes. */
const localBytes = 16;

/** What is put into a module to count its fuel, and what there was before. */
export interface Meter {
  /** How many functions, globals, memories and tables the guest has and may name. */
  readonly functions: number;
  readonly globals: number;
  readonly memories: number;
  readonly tables: number;
  /** Takes a point, or traps. */
  readonly point: Uint8Array;
  /** Take points for the number of bytes or elements on the stack and leave it there, or trap. */
  readonly chargeBytes: Uint8Array;
  readonly chargeElements: Uint8Array;
  /** Takes the points for an exception, or traps. */
  readonly chargeException: Uint8Array;
  /** Takes the points for setting so many locals to 0, or traps. */
  chargeLocals(count: number): Uint8Array;
  /** In place of the instructions that grow the memory or table with a number. */
  growMemory(index: number): Uint8Array;
  growTable(index: number): Uint8Array;
}

/** Numbers of what is added behind what a module has. */
export interface Added {
  readonly fuel: number;
  readonly denied: number;
  readonly chargeBytes: number;
  readonly chargeElements: number;
  readonly growMemory: number;
  readonly growTable: number;
}

/** Where what is added stands in a module. */
export function addedTo(outline: ModuleOutline): Added {
  const functions = outline.imports.length + outline.functions.length;
  return {
    fuel: outline.globals,
    denied: outline.globals + 1,
    chargeBytes: functions,
    chargeElements: functions + 1,
    growMemory: functions + 2,
    growTable: functions + 2 + outline.memories.length,
  };
}

/** How the fuel of a module is counted. */
export function meterOf(outline: ModuleOutline): Meter {
  const added = addedTo(outline);
  const call = (index: number): Uint8Array => Uint8Array.of(0x10, ...leb(index));
  const chargeFor = (bytes: number): Uint8Array =>
    Uint8Array.of(0x41, ...signedLeb(bytes), ...call(added.chargeBytes), 0x1a);
  return {
    functions: outline.imports.length + outline.functions.length,
    globals: outline.globals,
    memories: outline.memories.length,
    tables: outline.tables.length,
    point: pointCode(leb(added.fuel)),
    chargeBytes: call(added.chargeBytes),
    chargeElements: call(added.chargeElements),
    chargeException: chargeFor(exceptionBytes),
    chargeLocals: (count) => chargeFor(count * localBytes),
    growMemory: (index) => call(added.growMemory + index),
    growTable: (index) => call(added.growTable + index),
  };
}

/** `if fuel = 0 trap; fuel = fuel - 1`: neutral to the stack, so that it may stand anywhere. */
function pointCode(fuel: readonly number[]): Uint8Array {
  const trapWhenEmpty = [0x23, ...fuel, 0x45, 0x04, 0x40, 0x00, 0x0b];
  const takeOne = [0x23, ...fuel, 0x41, 0x01, 0x6b, 0x24, ...fuel];
  return Uint8Array.of(...trapWhenEmpty, ...takeOne);
}
