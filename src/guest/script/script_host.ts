import type { Clock } from "../../ports/clock.ts";
import type {
  GuestCode,
  GuestHost,
  GuestImage,
  GuestInstance,
  GuestLimits,
  HostCalls,
} from "../../ports/guest_host.ts";
import { guestFault } from "../fault.ts";
import type { Budget } from "./budget.ts";
import { leastMemoryBytes } from "./capped_memory.ts";
import { ScriptEngine } from "./engine.ts";
import { Interpreter } from "./interpreter.ts";
import { ScriptEntries } from "./script_entries.ts";
import { ScriptInstance } from "./script_instance.ts";

/** What a host of script guests is made of. */
export interface ScriptHostComponents {
  readonly clock: Clock;
  /** The bytes of QuickJS's WebAssembly file (`@jitl/quickjs-wasmfile-release-sync/wasm`), read when the first script is loaded. */
  readonly quickJs: () => Promise<Uint8Array>;
}

/** Points of the engine for one point of a guest's fuel: a turn of a loop takes about twenty. */
const enginePoints = 4;
/** How long an entry may run without waiting, milliseconds. */
const longestBusyMs = 5_000;

function budgetOf({ fuel }: GuestLimits): Budget {
  return { fuel: fuel * enginePoints, busyMs: longestBusyMs };
}

/**
 * Runs guests that are JavaScript, each in a QuickJS of its own (`spec/guest.md` §18.3): one script without imports that
 * calls `defineWorkload`, in a world that has the language, `console`, `TextEncoder`, `TextDecoder`, `queueMicrotask` and
 * what its contexts offer.
 */
export function scriptGuestHost({ clock, quickJs }: ScriptHostComponents): GuestHost {
  let engine: Promise<ScriptEngine> | undefined;
  const loaded = (): Promise<ScriptEngine> => {
    engine ??= quickJs().then((file) => ScriptEngine.compile(file));
    engine.catch(() => {
      engine = undefined;
    });
    return engine;
  };
  return {
    async load({ binary }, limits, signal): Promise<GuestImage> {
      signal.throwIfAborted();
      checkCode(binary, limits);
      const image = new ScriptImage(await loaded(), clock, binary, limits);
      await image.check();
      signal.throwIfAborted();
      return image;
    },
  };
}

function checkCode(binary: GuestCode["binary"], { codeBytes, memoryBytes }: GuestLimits): void {
  if (binary.length > codeBytes) {
    throw guestFault(
      "resource_limit",
      `the script has ${binary.length} bytes, the limit is ${codeBytes}: minify it, or raise the limit`,
    );
  }
  if (memoryBytes < leastMemoryBytes) {
    throw guestFault(
      "resource_limit",
      `memoryBytes is ${memoryBytes}: a script needs ${leastMemoryBytes} at least`,
    );
  }
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(binary);
  } catch (error) {
    throw guestFault("load_failed", "the script is not UTF-8", error);
  }
}

/** A script that was read without a fault. */
class ScriptImage implements GuestImage {
  readonly #engine: ScriptEngine;
  readonly #clock: Clock;
  readonly #script: Uint8Array;
  readonly #limits: GuestLimits;

  constructor(engine: ScriptEngine, clock: Clock, script: Uint8Array, limits: GuestLimits) {
    this.#engine = engine;
    this.#clock = clock;
    this.#script = script;
    this.#limits = limits;
  }

  /** @throws ActrError with fault `load_failed` when it cannot be read. */
  async check(): Promise<void> {
    const interpreter = await this.#start(new ScriptEntries(0));
    try {
      interpreter.parse(this.#script, budgetOf(this.#limits));
    } catch (error) {
      throw failed("load_failed", "the script cannot be read", error);
    }
  }

  async instantiate(calls: HostCalls, signal: AbortSignal): Promise<GuestInstance> {
    signal.throwIfAborted();
    const entries = new ScriptEntries(this.#limits.memoryBytes);
    const interpreter = await this.#start(entries);
    try {
      interpreter.runScript(this.#script, budgetOf(this.#limits));
    } catch (error) {
      throw failed("init_failed", "the script failed", error);
    }
    signal.throwIfAborted();
    return new ScriptInstance(interpreter, entries, calls, () => budgetOf(this.#limits));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #start(entries: ScriptEntries): Promise<Interpreter> {
    return Interpreter.start(this.#engine, this.#clock, this.#limits, entries);
  }
}

function failed(fault: "load_failed" | "init_failed", what: string, error: unknown): Error {
  return guestFault(fault, `${what}: ${error instanceof Error ? error.message : error}`, error);
}
