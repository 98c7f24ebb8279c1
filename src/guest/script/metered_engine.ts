import { outlineModule } from "../wasm/binary/module/outline.ts";
import { rewriteModule } from "../wasm/binary/module/rewrite.ts";
import { Reader } from "../wasm/binary/reader.ts";

/** Fuel, bytes and elements that no engine needs to begin. */
const plenty = 0x7fff_ffff;

/** An engine's WebAssembly file whose every function and loop counts fuel. */
export interface MeteredEngine {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Export of a mutable i32: points left; it traps at 0. */
  readonly fuelGlobal: string;
}

/**
 * Lets an engine count its own fuel, as it does for guests that are WebAssembly: what it does inside of one function of
 * the language, such as a search in an array of 2^32 elements, asks nobody whether it may go on. Its memory, which it
 * imports, is limited by who gives it.
 */
export function meteredEngine(file: Uint8Array): MeteredEngine {
  const module = new Reader(file, 0, file.length, "the engine");
  const outline = outlineModule(module, { importedMemories: true });
  const limits = {
    fuel: plenty,
    memoryBytes: plenty,
    tableElements: plenty,
    codeBytes: file.length,
  };
  return rewriteModule(outline, file.length, limits);
}
