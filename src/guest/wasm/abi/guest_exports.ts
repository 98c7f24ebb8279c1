import type { GuestEntry } from "../../../ports/guest_host.ts";
import { guestFault } from "../../fault.ts";
import { liftPrefix } from "../binary/component/main_module.ts";
import type { CoreExport, PreparedComponent } from "../binary/prepared_component.ts";
import { type Counter, FuelMeter } from "./fuel_meter.ts";
import { GuestMemory, type Reallocate } from "./guest_memory.ts";

/** Entries that return a result. */
export const fallibleEntries: readonly GuestEntry["name"][] = [
  "dispatch",
  "on-start",
  "on-ready",
  "on-stop",
  "on-error",
  "on-data-chunk",
];

/** Entries that return nothing. */
export const observingEntries: readonly GuestEntry["name"][] = [
  "on-signaling-connecting",
  "on-signaling-connected",
  "on-signaling-disconnected",
  "on-websocket-connecting",
  "on-websocket-connected",
  "on-websocket-disconnected",
  "on-webrtc-connecting",
  "on-webrtc-connected",
  "on-webrtc-disconnected",
  "on-credential-renewed",
  "on-credential-expiring",
  "on-mailbox-backpressure",
];

const entryNames: readonly GuestEntry["name"][] = [...fallibleEntries, ...observingEntries];

/** The two core functions of an entry: its begin, and its answer to an event. Both return a code of what is next. */
export interface EntryFunctions {
  readonly begin: (args: number) => number;
  readonly back: (event: number, first: number, second: number) => number;
}

/** What a host uses of an instance. */
export interface GuestExports {
  readonly memory: GuestMemory;
  readonly meter: FuelMeter;
  /** Growths of memory that were refused. */
  readonly denied: Counter;
  readonly entries: Readonly<Record<GuestEntry["name"], EntryFunctions>>;
  /** What is to run before anything else, where the guest has it. */
  readonly initialize: (() => void) | undefined;
}

function beginOf(name: GuestEntry["name"]): string {
  return liftPrefix + name;
}

function backOf(name: GuestEntry["name"]): string {
  return `[callback]${beginOf(name)}`;
}

/** Refuses a guest that lacks an export, or has it in another form. @throws ActrError with fault `load_failed`. */
export function requireExports(exports: readonly CoreExport[]): void {
  requireFunction(exports, "cabi_realloc", 4);
  for (const name of entryNames) {
    requireFunction(exports, beginOf(name), 1);
    requireFunction(exports, backOf(name), 3);
  }
}

function requireFunction(exports: readonly CoreExport[], name: string, parameters: number): void {
  const found = exports.find((one) => one.name === name);
  const isAsExpected =
    found?.kind === "function" &&
    found.parameters.length === parameters &&
    [...found.parameters, ...found.results].every((type) => type === "i32") &&
    found.results.length === 1;
  if (isAsExpected) return;
  throw guestFault(
    "load_failed",
    `the component's main module has no function '${name}' from ${parameters} i32 to one: build it for the world of src/guest/wit, with async exports`,
  );
}

/** The exports of an instance of a guest that {@link requireExports} let pass. */
export function readExports(
  exports: WebAssembly.Exports,
  prepared: PreparedComponent,
  mostLifted: number,
): GuestExports {
  const memory = exports["memory"] as WebAssembly.Memory;
  const reallocate = exports["cabi_realloc"] as Reallocate;
  const entries = entryNames.map((name) => [
    name,
    { begin: exports[beginOf(name)], back: exports[backOf(name)] },
  ]);
  return {
    memory: new GuestMemory(memory, reallocate, mostLifted),
    meter: new FuelMeter(exports[prepared.fuelGlobal] as Counter),
    denied: exports[prepared.deniedGlobal] as Counter,
    entries: Object.fromEntries(entries),
    initialize: exports["_initialize"] as (() => void) | undefined,
  };
}
