import type { QuickJs, QuickJsModule, Value } from "./quickjs.ts";

/** What the package's module is begun with. */
export interface ModuleOptions {
  readonly wasmMemory: WebAssembly.Memory;
  /** Makes the instance, in place of reading the file. */
  instantiateWasm(
    imports: WebAssembly.Imports,
    started: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports;
  /** Its standard output and error, which guests have no way to. */
  print(line: string): void;
  printErr(line: string): void;
}

/** What the package's module calls; the first parameter is of another variant. */
export interface ModuleCallbacks {
  callFunction(
    _: undefined,
    context: number,
    self: Value,
    count: number,
    values: number,
    id: number,
  ): Value;
  shouldInterrupt(_: undefined, runtime: number): 0 | 1;
  freeHostRef(): void;
  loadModuleSource(): number;
  normalizeModule(): number;
}

/** The package's module, once begun. */
export type BegunModule = QuickJsModule & { callbacks: ModuleCallbacks };

/** What of the package is used; its own types say more, and that its addresses are not numbers. */
export interface QuickJsPackage {
  importModuleLoader(): Promise<(options: ModuleOptions) => Promise<BegunModule>>;
  importFFI(): Promise<new (module: BegunModule) => QuickJs>;
}

/** The package, loaded when it is first asked for: nodes without script guests never read it. */
export async function quickJsPackage(): Promise<QuickJsPackage> {
  const { default: quickJs } = await import("@jitl/quickjs-wasmfile-release-sync");
  return quickJs as unknown as QuickJsPackage;
}
