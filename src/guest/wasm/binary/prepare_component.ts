import type { GuestLimits } from "../../../ports/guest_host.ts";
import { guestFault } from "../../fault.ts";
import { liftPrefix, mainModule } from "./component/main_module.ts";
import { componentHeader, outlineComponent } from "./component/outline.ts";
import { checkWorld, told } from "./component/world.ts";
import { type ModuleOutline, outlineModule } from "./module/outline.ts";
import { initialMemory, rewriteModule } from "./module/rewrite.ts";
import { moduleHeader } from "./module/sections.ts";
import type { PreparedComponent } from "./prepared_component.ts";

/** The limits that concern the bytes of a component. */
export type BinaryLimits = Pick<
  GuestLimits,
  "fuel" | "memoryBytes" | "tableElements" | "codeBytes"
>;

/** Most points that a guest may be given for one entry: they are counted in an i32. */
export const maxFuel = 0x7fff_ffff;

/**
 * Checks a component of the V2 world and makes its main core module safe to instantiate (`spec/guest.md` §16–§18).
 * @throws ActrError with fault `load_failed` (not a component, another world, a form that is not supported) or
 * `resource_limit` (too long, or more memory or table elements at the start than the limits allow).
 * @throws RangeError when `limits.fuel` is not a whole number between 1 and {@link maxFuel}.
 */
export function prepareComponent(bytes: Uint8Array, limits: BinaryLimits): PreparedComponent {
  if (!Number.isInteger(limits.fuel) || limits.fuel < 1 || limits.fuel > maxFuel) {
    throw new RangeError(`fuel is ${limits.fuel}: give a whole number from 1 to ${maxFuel}`);
  }
  if (bytes.length > limits.codeBytes) {
    throw guestFault(
      "resource_limit",
      `the component has ${bytes.length} bytes, the limit is ${limits.codeBytes}: build it without debug information, or raise the limit`,
    );
  }
  checkHeader(bytes);
  const component = outlineComponent(bytes);
  checkWorld(component);
  const module = mainModule(component.modules);
  const outline = outlineModule(module.fork("the main module"));
  checkMain(outline);
  const rewritten = rewriteModule(outline, module.end - module.at, limits);
  const { bytes: main, fuelGlobal, deniedGlobal } = rewritten;
  const { imports, exports } = outline;
  return { main, imports, exports, fuelGlobal, deniedGlobal, memoryBytes: initialMemory(outline) };
}

function checkHeader(bytes: Uint8Array): void {
  if (begins(bytes, componentHeader)) return;
  throw guestFault("load_failed", headerProblem(bytes));
}

function begins(bytes: Uint8Array, header: Uint8Array): boolean {
  return header.every((byte, at) => bytes[at] === byte);
}

const magicBytes = 4;

function headerProblem(bytes: Uint8Array): string {
  if (bytes.length === 0) return "the code is empty: give a WebAssembly component";
  if (begins(bytes, moduleHeader)) {
    return "the code is a core module, not a component: rebuild it as one, as Rust does for wasm32-wasip2";
  }
  const found = Array.from(bytes.subarray(0, componentHeader.length), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join(" ");
  return begins(bytes, componentHeader.subarray(0, magicBytes))
    ? `the component has a format of another version (${found}): build it with a current tool`
    : `the code is not a WebAssembly component: it begins with ${found}`;
}

/** That the main module has what its host works with. */
function checkMain({ exports }: ModuleOutline): void {
  const functions = new Set<string>();
  for (const { kind, name } of exports) if (kind === "function") functions.add(name);
  const lifts = [...functions].filter((name) => name.startsWith(liftPrefix));
  const missing = lifts.map((name) => `[callback]${name}`).filter((name) => !functions.has(name));
  if (!functions.has("cabi_realloc")) missing.push("cabi_realloc");
  if (!exports.some(({ kind, name }) => kind === "memory" && name === "memory")) {
    missing.push("memory");
  }
  if (missing.length === 0) return;
  throw guestFault(
    "load_failed",
    `the main module does not export ${told(missing)}: build it with a current SDK`,
  );
}
