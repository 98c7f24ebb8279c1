import type { GuestCode, GuestHost, GuestImage, GuestLimits } from "../../ports/guest_host.ts";
import { guestFault } from "../fault.ts";
import type { CoreComponents } from "./abi/bridge.ts";
import { CoreInstance } from "./abi/core_instance.ts";
import { readExports, requireExports } from "./abi/guest_exports.ts";
import { importsFor, type Linked, link } from "./abi/linker.ts";
import { prepareComponent } from "./binary/prepare_component.ts";
import type { PreparedComponent } from "./binary/prepared_component.ts";

/** What guests' code runs on. */
export type WasmHostComponents = CoreComponents;

/** A checked component, and its parts. */
interface Loaded {
  readonly prepared: PreparedComponent;
  readonly linked: readonly Linked[];
  readonly module: WebAssembly.Module;
}

/** Runs components of Actr's V2 world on the caller's own thread (`spec/guest.md` §17): while a guest computes, nothing else does. */
export function wasmGuestHost(components: WasmHostComponents): GuestHost {
  return {
    async load(code, limits, signal): Promise<GuestImage> {
      signal.throwIfAborted();
      const loaded = await load(code, limits);
      signal.throwIfAborted();
      return {
        instantiate: (calls, until) =>
          instantiate(loaded, new CoreInstance(components, calls, limits), limits, until),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}

async function load(code: GuestCode, limits: GuestLimits): Promise<Loaded> {
  if (code.kind !== "wasm") {
    throw guestFault("load_failed", `the code is a ${code.kind}, not a WebAssembly component`);
  }
  const prepared = prepareComponent(code.binary, limits);
  const linked = link(prepared.imports);
  requireExports(prepared.exports);
  try {
    return { prepared, linked, module: await WebAssembly.compile(prepared.main) };
  } catch (error) {
    throw guestFault(
      "load_failed",
      `the component's main module is not valid: ${textOf(error)}`,
      error,
    );
  }
}

async function instantiate(
  { prepared, linked, module }: Loaded,
  guest: CoreInstance,
  { memoryBytes }: GuestLimits,
  signal: AbortSignal,
): Promise<CoreInstance> {
  signal.throwIfAborted();
  try {
    const { exports } = await WebAssembly.instantiate(module, importsFor(guest.bridge, linked));
    guest.attach(readExports(exports, prepared, memoryBytes));
  } catch (error) {
    throw guestFault(
      "init_failed",
      `the guest failed before its first entry: ${textOf(error)}`,
      error,
    );
  }
  signal.throwIfAborted();
  return guest;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
