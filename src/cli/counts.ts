import { parseU32 } from "../protocol/numbers.ts";
import type { Input } from "./command.ts";
import { Misuse } from "./misuse.ts";

/** The value of an option that counts something: a u32 above 0, or `fallback` when it is not given. @throws Misuse. */
export function countOf(input: Input, name: string, fallback: number): number {
  return aboveZero(input, name, fallback, "whole number");
}

/** The value of an option that is a time, milliseconds: as {@link countOf}. @throws Misuse. */
export function millisecondsOf(input: Input, name: string, fallback: number): number {
  return aboveZero(input, name, fallback, "number of milliseconds");
}

function aboveZero(input: Input, name: string, fallback: number, what: string): number {
  const text = input.value(name);
  if (text === undefined) return fallback;
  const number = parseU32(text);
  if (number !== undefined && number > 0) return number;
  throw new Misuse(`--${name} is ${text}; it is a ${what} above 0`);
}
