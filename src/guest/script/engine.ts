import type { FuelCounter } from "./budget.ts";
import { cappedMemory } from "./capped_memory.ts";
import { meteredEngine } from "./metered_engine.ts";
import type { EngineCalls } from "./quickjs.ts";
import { type ModuleCallbacks, quickJsPackage } from "./quickjs_package.ts";
import { ScriptVm } from "./vm.ts";

/** How large one interpreter may be. */
export interface VmLimits {
  readonly memoryBytes: number;
  readonly stackBytes: number;
}

/** One interpreter, and what counts its fuel. */
export interface FuelledVm {
  readonly vm: ScriptVm;
  readonly fuel: FuelCounter;
}

function noModules(): never {
  throw new TypeError("a script has no modules");
}

function callbacks(calls: EngineCalls): ModuleCallbacks {
  return {
    callFunction: (_, _context, _self, count, values, id) => calls.callFunction(id, values, count),
    shouldInterrupt: () => (calls.shouldInterrupt() ? 1 : 0),
    freeHostRef() {},
    loadModuleSource: noModules,
    normalizeModule: noModules,
  };
}

/** QuickJS, compiled so that it counts its fuel. Each interpreter is an instance of WebAssembly of its own. */
export class ScriptEngine {
  readonly #module: WebAssembly.Module;
  readonly #fuelGlobal: string;

  private constructor(module: WebAssembly.Module, fuelGlobal: string) {
    this.#module = module;
    this.#fuelGlobal = fuelGlobal;
  }

  /** Of QuickJS's WebAssembly file. */
  static async compile(file: Uint8Array): Promise<ScriptEngine> {
    const { bytes, fuelGlobal } = meteredEngine(file);
    return new ScriptEngine(await WebAssembly.compile(bytes), fuelGlobal);
  }

  /** A new interpreter, which has run nothing. */
  async start(limits: VmLimits, calls: EngineCalls): Promise<FuelledVm> {
    const quickJs = await quickJsPackage();
    const [begin, Functions] = await Promise.all([
      quickJs.importModuleLoader(),
      quickJs.importFFI(),
    ]);
    const memory = cappedMemory(limits.memoryBytes);
    let fuel: unknown;
    const module = await begin({
      wasmMemory: memory.memory,
      instantiateWasm: (imports, started) => {
        const instance = new WebAssembly.Instance(this.#module, imports);
        fuel = instance.exports[this.#fuelGlobal];
        started(instance);
        return instance.exports;
      },
      print() {},
      printErr() {},
    });
    module.callbacks = callbacks(calls);
    const vm = new ScriptVm(new Functions(module), module, memory, limits.stackBytes);
    return { vm, fuel: fuel as FuelCounter };
  }
}
