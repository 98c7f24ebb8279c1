/** A type of core values, as the binary format names it; references of every sort are `ref`. */
export type CoreValueType = "i32" | "i64" | "f32" | "f64" | "v128" | "ref";

/** Parameters and results of a core function. */
export interface CoreSignature {
  readonly parameters: readonly CoreValueType[];
  readonly results: readonly CoreValueType[];
}

/** A function that the main module needs; the host has to give all of them. */
export interface CoreImport extends CoreSignature {
  /** An interface, such as `actr:workload/host@0.2.0`, `$root`, `[export]$root`, or one of WASI. */
  readonly module: string;
  readonly name: string;
}

/** What the main module gives. */
export type CoreExport =
  | ({ readonly kind: "function"; readonly name: string } & CoreSignature)
  | { readonly kind: "table" | "memory" | "global" | "tag"; readonly name: string };

/** A component of the V2 world, checked, with its main module rewritten so that it is safe to instantiate. */
export interface PreparedComponent {
  /**
   * The main core module. It exports one memory as `memory`, counts fuel from its first instruction on (a start function
   * runs on `limits.fuel` points), and never holds more memory or table elements than the limits say.
   */
  readonly main: Uint8Array<ArrayBuffer>;
  /** All imports of `main`, in order; functions only. */
  readonly imports: readonly CoreImport[];
  /** The exports that the guest itself has, without the two globals. */
  readonly exports: readonly CoreExport[];
  /**
   * Export of a mutable i32: points left. Write `limits.fuel` before each entry. 0 after a trap: it ended for want of
   * fuel.
   */
  readonly fuelGlobal: string;
  /**
   * Export of a mutable i32: growths of memories and tables that were refused, with -1 as the specification of
   * WebAssembly has it. When it is not 0 after a trap, the guest most likely ended for want of memory.
   */
  readonly deniedGlobal: string;
  /** Bytes that its memories have before anything has run: what an instance takes at least. */
  readonly memoryBytes: number;
}
