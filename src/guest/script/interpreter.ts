import type { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { guestFault } from "../fault.ts";
import { type Budget, Meter } from "./budget.ts";
import type { ScriptEngine, VmLimits } from "./engine.ts";
import { natives, type ScriptCalls } from "./natives.ts";
import { preludeText } from "./prelude_text.ts";
import type { Value } from "./quickjs.ts";
import { type ScriptVm, Thrown } from "./vm.ts";

/** Reads a script without running it. */
const onlyParse = 32;

/** What the guest threw where nobody in it catches. */
class Uncaught extends Error {}

/** What the prelude gives, in its order (`prelude/native.ts`). */
interface Entrances {
  readonly enter: Value;
  readonly answer: Value;
  readonly describe: Value;
  readonly isDefined: Value;
}

function beginPrelude(vm: ScriptVm): Entrances {
  const begin = vm.evaluate(new TextEncoder().encode(preludeText), "prelude.js");
  const all = vm.call(begin, ...natives.map((_, index) => vm.function(index + 1)));
  const [enter, answer, describe, isDefined] = [0, 1, 2, 3].map((index) => vm.element(all, index));
  return { enter, answer, describe, isDefined } as Entrances;
}

/** A guest's interpreter: every way into it runs on a budget, and ends with a fault where that, or memory, is exceeded. */
export class Interpreter {
  readonly #vm: ScriptVm;
  readonly #meter: Meter;
  readonly #entrances: Entrances;

  private constructor(vm: ScriptVm, meter: Meter, entrances: Entrances) {
    this.#vm = vm;
    this.#meter = meter;
    this.#entrances = entrances;
  }

  /** A new one, in which nothing of the guest has run. */
  static async start(
    engine: ScriptEngine,
    clock: Clock,
    limits: VmLimits,
    calls: ScriptCalls,
  ): Promise<Interpreter> {
    const { vm, fuel } = await engine.start(limits, {
      callFunction: (id, values, count) =>
        natives[id - 1]?.({ vm, meter, calls }, values, count) ?? 0,
      shouldInterrupt: () => vm.exceededMemory || meter.isOver(),
    });
    const meter = new Meter(clock, fuel);
    const unlimited = { fuel: Number.MAX_SAFE_INTEGER, busyMs: Number.POSITIVE_INFINITY };
    return new Interpreter(
      vm,
      meter,
      meter.run(unlimited, () => beginPrelude(vm)),
    );
  }

  get memoryBytes(): number {
    return this.#vm.memoryBytes;
  }

  /** Runs the guest's script, which has to say what its workload is. @throws ActrError with a fault */
  runScript(script: Uint8Array, budget: Budget): void {
    this.#run(budget, () => {
      this.#vm.free(this.#vm.evaluate(script, "guest.js"));
      const defined = this.#vm.call(this.#entrances.isDefined);
      if (this.#vm.readNumber(defined) === 1) return;
      throw new Uncaught("the script never calls defineWorkload");
    });
  }

  /** Reads a script without running it. @throws ActrError with a fault */
  parse(script: Uint8Array, budget: Budget): void {
    this.#run(budget, () => this.#vm.free(this.#vm.evaluate(script, "guest.js", onlyParse)));
  }

  /** Begins an entry, and runs all that does not wait for the node. @throws ActrError with a fault */
  enter(entry: number, what: string, payload: Uint8Array | undefined, budget: Budget): void {
    this.#run(budget, () => {
      const vm = this.#vm;
      const bytes = payload === undefined ? vm.undefined : vm.bytes(payload);
      vm.free(vm.call(this.#entrances.enter, vm.number(entry), vm.text(what), bytes));
    });
  }

  /** Answers a call of the guest: with an error's text, or else with bytes, a text, or nothing. @throws ActrError with a fault */
  answer(
    call: number,
    error: string | undefined,
    value: Uint8Array | string | undefined,
    budget: Budget,
  ): void {
    this.#run(budget, () => {
      const vm = this.#vm;
      const thrown = error === undefined ? vm.undefined : vm.text(error);
      vm.free(vm.call(this.#entrances.answer, vm.number(call), thrown, this.#value(value)));
    });
  }

  #value(value: Uint8Array | string | undefined): Value {
    if (value === undefined) return this.#vm.undefined;
    return typeof value === "string" ? this.#vm.text(value) : this.#vm.bytes(value);
  }

  #run(budget: Budget, work: () => void): void {
    try {
      this.#meter.run(budget, () => this.#describing(work));
    } catch (error) {
      throw this.#exceeded() ?? trapped(error);
    }
    const exceeded = this.#exceeded();
    if (exceeded !== undefined) throw exceeded;
  }

  /** Does it, and what promises wait for then. @throws Uncaught what the guest threw, as a text */
  #describing(work: () => void): void {
    try {
      work();
      this.#vm.runJobs();
    } catch (error) {
      if (!(error instanceof Thrown) || this.#exceeded() !== undefined) throw error;
      throw new Uncaught(this.#vm.readText(this.#vm.call(this.#entrances.describe, error.value)));
    }
  }

  #exceeded(): ActrError | undefined {
    if (this.#vm.exceededMemory) {
      return guestFault(
        "resource_limit",
        "the guest wanted more memory than its limit: let it keep less, or raise memoryBytes",
      );
    }
    if (this.#meter.late) {
      return guestFault(
        "interrupted",
        "the guest ran too long without waiting for its node: let it do less at a time",
      );
    }
    if (!this.#meter.empty) return undefined;
    return guestFault(
      "out_of_fuel",
      "the guest used up the fuel of its entry: let it do less at a time, or raise fuel",
    );
  }
}

function trapped(error: unknown): ActrError {
  if (error instanceof Uncaught) return guestFault("trapped", error.message, error);
  const text = error instanceof Error ? error.message : String(error);
  return guestFault("trapped", `the guest's interpreter failed: ${text}`, error);
}
