import { guestFault } from "../../../fault.ts";
import type { CoreSignature, CoreValueType } from "../prepared_component.ts";
import type { Reader } from "../reader.ts";

const numbers: Readonly<Record<number, CoreValueType>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
};

/** References that name what they refer to: a heap type follows. */
const reference = { nullable: 0x63, plain: 0x64 } as const;

/** Most parameters and results of a function. Engines allow 1,000, but each branch out of a block may move its results. */
const mostParameters = 255;
const mostResults = 64;

/** A value's type; of references only that they are. */
export function readValueType(input: Reader): CoreValueType {
  const code = input.u8();
  if (code === reference.nullable || code === reference.plain) input.s33();
  else if (code >= 0x80) throw input.malformed("a type of values is unknown", input.at - 1);
  return numbers[code] ?? "ref";
}

/** Passes over the type of a block: nothing, one value, or a function's type by its number. */
export function skipBlockType(input: Reader): void {
  const code = input.bytes[input.at];
  if (code === reference.nullable || code === reference.plain) readValueType(input);
  else input.s33();
}

const collected: Readonly<Record<number, string>> = {
  78: "a recursive group",
  79: "a final subtype",
  80: "a subtype",
  94: "an array",
  95: "a structure",
};

/**
 * A function's type.
 * @throws ActrError with fault `load_failed` for types of collected objects: what they take has no bound.
 */
export function readFunctionType(input: Reader): CoreSignature {
  const form = input.u8();
  const what = collected[form];
  if (what !== undefined) {
    throw guestFault(
      "load_failed",
      `${input.what} has ${what}: memory of garbage-collected objects cannot be limited; build the guest without them`,
    );
  }
  if (form !== 0x60) throw input.malformed(`a type begins with ${form}`, input.at - 1);
  return {
    parameters: readValueTypes(input, mostParameters, "parameters"),
    results: readValueTypes(input, mostResults, "results"),
  };
}

function readValueTypes(input: Reader, most: number, what: string): CoreValueType[] {
  const count = input.count(most, what);
  return Array.from({ length: count }, () => readValueType(input));
}

/** Least and most of a memory or table. */
export interface CoreLimits {
  readonly least: number;
  /** None was given: undefined. */
  readonly most: number | undefined;
}

const limitFlags = { maximum: 1, shared: 2, wide: 4, pageSize: 8 } as const;

/**
 * The limits of a memory or table.
 * @throws ActrError with fault `load_failed` for shared and 64-bit ones, which no component's host can use.
 */
export function readLimits(input: Reader): CoreLimits {
  const flags = input.u8();
  if (flags > 0x0f) throw input.malformed(`limits have flags ${flags}`, input.at - 1);
  if (flags & limitFlags.shared) throw unsupported(input, "shared memory", "threads");
  if (flags & limitFlags.wide) throw unsupported(input, "64-bit memory", "memory64");
  if (flags & limitFlags.pageSize) throw unsupported(input, "pages of other sizes", "them");
  const least = input.u32();
  return { least, most: flags & limitFlags.maximum ? input.u32() : undefined };
}

function unsupported(input: Reader, what: string, feature: string): Error {
  return guestFault(
    "load_failed",
    `${input.what} has ${what}, which guests cannot have: build it without ${feature}`,
  );
}
