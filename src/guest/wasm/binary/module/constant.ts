import type { Reader } from "../reader.ts";
import { codes, type Immediate, plain } from "./immediates.ts";
import { prefixedImmediate, skipImmediate } from "./instruction.ts";

/** Constants, globals, references to functions, sums and products of integers. */
const constantCodes: ReadonlySet<number> = new Set([
  0x23, 0x41, 0x42, 0x43, 0x44, 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e, 0xd0, 0xd2,
]);
const vectorConstant = 0x0c;

/** Passes over an expression of constants, up to its end. */
export function skipConstant(input: Reader): void {
  for (;;) {
    const code = input.u8();
    if (code === codes.end) return;
    if (code === codes.vector && input.u32() === vectorConstant) {
      skipImmediate(input, prefixedImmediate(input, code, vectorConstant));
    } else if (constantCodes.has(code)) {
      skipImmediate(input, plain[code] as Immediate);
    } else {
      throw input.malformed(`instruction ${code} is not constant`, input.at - 1);
    }
  }
}
