import type { ActrError } from "../../../../errors.ts";
import { guestFault } from "../../../fault.ts";
import { moduleNames } from "../module/names.ts";
import type { Reader } from "../reader.ts";
import { isOfWorld, told, workloadInterface } from "./world.ts";

/** What the exports begin with that entries into the guest have. */
export const liftPrefix: string = `[async-lift]${workloadInterface}#`;

/** What a module of names links to: the two that only break a circle when a component runtime instantiates all three. */
const fixUpImports: ReadonlySet<string> = new Set(["", "actual", "shim"]);

/** What the main module may import beside interfaces: built-in functions, and the ways to return. */
const ownImports: ReadonlySet<string> = new Set([
  "$root",
  "[export]$root",
  `[export]${workloadInterface}`,
]);

/**
 * The core module that is the guest: the one with the entries of its world.
 * @throws ActrError with fault `load_failed` when none has, or when others have a part in it, as adapters and libraries.
 */
export function mainModule(modules: readonly Reader[]): Reader {
  const all = modules.map((module) => ({ module, ...moduleNames(module) }));
  const mains = all.filter(({ exports }) => exports.some((name) => name.startsWith(liftPrefix)));
  const [main] = mains;
  if (main === undefined) throw withoutEntries(all.flatMap(({ exports }) => exports));
  for (const other of all) {
    const foreign = other.imports.filter((name) => !fixUpImports.has(name));
    if (other === main || (foreign.length === 0 && !mains.includes(other))) continue;
    throw furtherModule(other.module, foreign);
  }
  const unknown = main.imports.filter((name) => !isOfWorld(name) && !ownImports.has(name));
  if (unknown.length > 0) throw unknownImports(unknown);
  return main.module;
}

function withoutEntries(exports: readonly string[]): ActrError {
  const others = exports.filter((name) => name.includes(`${workloadInterface}#`));
  return guestFault(
    "load_failed",
    others.length > 0
      ? `the component has entries of a form that is not supported: ${told(others)}; build it with async functions and callbacks, as current SDKs do`
      : `no core module exports entries of ${workloadInterface} (${liftPrefix}…): build the component from one core module`,
  );
}

function furtherModule(module: Reader, imports: readonly string[]): ActrError {
  const what = imports.length > 0 ? `imports ${told(imports)}` : "has entries";
  return guestFault(
    "load_failed",
    `${module.what} ${what} beside the main module: components with adapters or several programs (Python, StarlingMonkey, WASI preview 1) are not supported; build from one core module, as Rust does for wasm32-wasip2`,
  );
}

function unknownImports(names: readonly string[]): ActrError {
  const preview1 = names.includes("wasi_snapshot_preview1");
  return guestFault(
    "load_failed",
    preview1
      ? "the main module imports wasi_snapshot_preview1: build it for wasm32-wasip2, not with an adapter"
      : `the main module imports what is outside its world: ${told(names)}; a guest reaches the world only through its interfaces`,
  );
}
