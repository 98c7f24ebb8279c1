import { ActrError } from "../../errors.ts";
import { scriptTarget } from "../../guest/workload/guest_code.ts";
import { toHex } from "../../protocol/bytes.ts";

/** What runs as a guest, by its target. */
export type GuestTarget = "wasm32-wasip2" | typeof scriptTarget;

/** How files begin, hexadecimal, that are no guests. */
const others: readonly (readonly [head: RegExp, what: string, mend: string])[] = [
  [/^0061736d01000000/, "a core module", "build a component of it, for wasm32-wasip2"],
  [/^0061736d/, "WebAssembly of a kind that is not known", "build a component, for wasm32-wasip2"],
  [/^7f454c46/, "a native library (ELF)", native()],
  [/^(feedface|feedfacf|cefaedfe|cffaedfe|cafebabe)/, "a native library (Mach-O)", native()],
  [/^4d5a/, "a native library (PE)", native()],
];

function native(): string {
  return "native code is not isolated: build a WebAssembly component, or write a script";
}

const component = /^0061736d0d000100/;

/**
 * What a binary is built for, by how it begins; a script also by the end of its name.
 * @throws ActrError `invalid_argument` for what cannot run as a guest, with what to build in its place.
 */
export function targetOf(binary: Uint8Array, file: string): GuestTarget {
  const head = toHex(binary.subarray(0, 8));
  if (component.test(head)) return "wasm32-wasip2";
  const other = others.find(([pattern]) => pattern.test(head));
  if (other !== undefined) throw unfit(`${file} is ${other[1]}; ${other[2]}`);
  if (/\.[mc]?tsx?$/.test(file)) {
    throw unfit(`${file} is TypeScript; bundle it into one script, and name that`);
  }
  if (/\.[mc]?js$/.test(file) && isText(binary)) return scriptTarget;
  throw unfit(`${file} is neither a WebAssembly component nor a script (.js)`);
}

/** The target that is asked for, which the binary must be built for. @throws ActrError `invalid_argument`. */
export function checkedTarget(wanted: string, binary: Uint8Array, file: string): string {
  const found = targetOf(binary, file);
  const fits = found === scriptTarget ? wanted === found : wanted.startsWith("wasm32-");
  if (fits) return wanted;
  throw unfit(`the target is ${wanted}, but ${file} is one for ${found}; leave the target out`);
}

function isText(bytes: Uint8Array): boolean {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0");
  } catch {
    return false;
  }
}

function unfit(message: string): ActrError {
  return new ActrError("invalid_argument", message);
}
