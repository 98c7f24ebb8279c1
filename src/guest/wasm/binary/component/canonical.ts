import type { Reader } from "../reader.ts";

/** How a component makes a function of a core function, or the other way round. */
export interface Canonical {
  readonly kind: "lift" | "lower" | "built-in";
  /** Only of a lifted function: the number of its type. */
  readonly type?: number;
  readonly options: CanonicalOptions;
}

/** Options of a canonical definition, as far as they matter. */
export interface CanonicalOptions {
  readonly async: boolean;
  readonly utf8: boolean;
}

const noOptions: CanonicalOptions = { async: false, utf8: true };
const optionCodes = { utf8: 0, utf16: 1, latin1: 2, async: 6, collected: 9 } as const;
const mostOptions = 16;

function readOptions(input: Reader): CanonicalOptions {
  let { async, utf8 } = noOptions;
  for (let left = input.count(mostOptions, "options"); left > 0; left--) {
    const option = input.u8();
    if (option > optionCodes.collected) throw input.malformed("an option is unknown", input.at - 1);
    if (option === optionCodes.async) async = true;
    else if (option === optionCodes.utf16 || option === optionCodes.latin1) utf8 = false;
    else if (option !== optionCodes.utf8 && option !== optionCodes.collected) input.u32();
  }
  return { async, utf8 };
}

/** What follows the code of a built-in function: numbers (`n`), bytes (`b`), options (`o`), a result (`r`). */
const builtIns: Readonly<Record<number, string>> = {
  // Resources, tasks, context.
  ...{ 2: "n", 3: "n", 4: "n", 5: "", 6: "b", 7: "n", 8: "" },
  ...{ 9: "ro", 10: "bn", 11: "bn", 12: "b", 13: "" },
  // Streams, futures, error contexts.
  ...{ 14: "n", 15: "no", 16: "no", 17: "nb", 18: "nb", 19: "n", 20: "n" },
  ...{ 21: "n", 22: "no", 23: "no", 24: "nb", 25: "nb", 26: "n", 27: "n" },
  ...{ 28: "o", 29: "o", 30: "" },
  // Waitable sets, back-pressure.
  ...{ 31: "", 32: "bn", 33: "bn", 34: "", 35: "", 36: "", 37: "" },
};

function skipBuiltIn(input: Reader, code: number): void {
  const parts = builtIns[code];
  if (parts === undefined) {
    throw input.malformed(`built-in function ${code} is unknown`, input.at - 1);
  }
  for (const part of parts) {
    if (part === "n") input.u32();
    else if (part === "b") input.u8();
    else if (part === "o") readOptions(input);
    else if (input.u8() === 0) input.s33();
    else input.u8();
  }
}

/** One canonical definition. */
export function readCanonical(input: Reader): Canonical {
  const code = input.u8();
  if (code > 1) {
    skipBuiltIn(input, code);
    return { kind: "built-in", options: noOptions };
  }
  if (input.u8() !== 0) throw input.malformed("a function is of an unknown sort", input.at - 1);
  input.u32();
  const options = readOptions(input);
  return code === 0 ? { kind: "lift", type: input.u32(), options } : { kind: "lower", options };
}
