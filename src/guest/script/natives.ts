import type { Meter } from "./budget.ts";
import type { Value } from "./quickjs.ts";
import type { ScriptVm } from "./vm.ts";

/** What a guest tells its host. The texts may hold anything. */
export interface ScriptCalls {
  reply(entry: number, bytes: Uint8Array<ArrayBuffer> | undefined): void;
  fail(entry: number, error: string): void;
  /** 0: nobody waits for an answer. */
  ask(call: number, what: string, payload: Uint8Array<ArrayBuffer> | undefined): void;
  log(level: string, message: string): void;
}

/** Where a function of the host was called. */
interface Caller {
  readonly vm: ScriptVm;
  readonly meter: Meter;
  readonly calls: ScriptCalls;
}

/** A function of the host: given the address and the number of its arguments, it gives a new value, or 0 for undefined. */
type Native = (caller: Caller, values: number, count: number) => Value;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Points that a call of the host costs: what the host does for it is not counted otherwise. */
const callPoints = 4_000;
/** Bytes that are handed over for one point. */
const bytesPerPoint = 4;

function chargeFor({ meter }: Caller, bytes: number): void {
  meter.charge(callPoints + Math.ceil(bytes / bytesPerPoint));
}

function textOf(caller: Caller, values: number, index: number): string {
  const text = caller.vm.readText(caller.vm.argument(values, index));
  chargeFor(caller, text.length);
  return text;
}

function bytesOf(caller: Caller, values: number, index: number): Uint8Array<ArrayBuffer> {
  const bytes = caller.vm.readBytes(caller.vm.argument(values, index));
  chargeFor(caller, bytes.length);
  return bytes;
}

function numberOf({ vm }: Caller, values: number, index: number): number {
  return vm.readNumber(vm.argument(values, index));
}

/** The text of bytes that are UTF-8 throughout. */
function strictText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The functions that the prelude is given, in its order (`prelude/native.ts`). */
export const natives: readonly Native[] = [
  function reply(caller, values, count) {
    const bytes = count < 2 ? undefined : bytesOf(caller, values, 1);
    caller.calls.reply(numberOf(caller, values, 0), bytes);
    return 0;
  },
  function fail(caller, values) {
    caller.calls.fail(numberOf(caller, values, 0), textOf(caller, values, 1));
    return 0;
  },
  function ask(caller, values, count) {
    const payload = count < 3 ? undefined : bytesOf(caller, values, 2);
    caller.calls.ask(numberOf(caller, values, 0), textOf(caller, values, 1), payload);
    return 0;
  },
  function log(caller, values) {
    caller.calls.log(textOf(caller, values, 0), textOf(caller, values, 1));
    return 0;
  },
  function encode(caller, values) {
    return caller.vm.bytes(encoder.encode(textOf(caller, values, 0)));
  },
  function decode(caller, values) {
    const bytes = bytesOf(caller, values, 0);
    const strictly = numberOf(caller, values, 1) === 1;
    const text = strictly ? strictText(bytes) : lenient.decode(bytes);
    return text === undefined ? 0 : caller.vm.text(text);
  },
];
