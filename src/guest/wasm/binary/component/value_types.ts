import type { Reader } from "../reader.ts";

/** Most fields, cases and the like of one type. */
const mostParts = 10_000;

/** Passes over a type of values: one of the language's own, or the number of a defined one. */
export function skipValueType(input: Reader): void {
  input.s33();
}

/** Calls `read` for each entry of a list. */
export function eachOf(input: Reader, what: string, read: (input: Reader) => void): void {
  for (let left = input.count(mostParts, what); left > 0; left--) read(input);
}

/** Passes over a label and a type. */
export function skipField(input: Reader): void {
  input.name();
  skipValueType(input);
}

function skipOptional(input: Reader): void {
  const there = input.u8();
  if (there > 1) throw input.malformed("an option has an unknown form", input.at - 1);
  if (there === 1) skipValueType(input);
}

function skipCase(input: Reader): void {
  input.name();
  skipOptional(input);
  if (input.u8() !== 0) throw input.malformed("a case refines another", input.at - 1);
}

/** What follows the codes of defined types of values. */
const shapes: Readonly<Record<number, (input: Reader) => void>> = {
  114: (input) => eachOf(input, "fields", skipField),
  113: (input) => eachOf(input, "cases", skipCase),
  112: skipValueType,
  111: (input) => eachOf(input, "types of a tuple", skipValueType),
  110: (input) => eachOf(input, "flags", (flag) => flag.name()),
  109: (input) => eachOf(input, "cases", (name) => name.name()),
  107: skipValueType,
  106: (input) => {
    skipOptional(input);
    skipOptional(input);
  },
  105: (input) => input.u32(),
  104: (input) => input.u32(),
  103: (input) => {
    skipValueType(input);
    input.u32();
  },
  102: skipOptional,
  101: skipOptional,
  99: (input) => {
    skipValueType(input);
    skipValueType(input);
  },
};

const errorContext = 0x64;
const firstPrimitive = 0x73;
const lastPrimitive = 0x7f;

/** Passes over what follows the code of a defined type of values. */
export function skipDefined(input: Reader, code: number): void {
  if (code === errorContext || (code >= firstPrimitive && code <= lastPrimitive)) return;
  const shape = shapes[code];
  if (shape === undefined) throw input.malformed(`type ${code} is unknown`, input.at - 1);
  shape(input);
}
