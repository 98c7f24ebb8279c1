import { allocateMessage } from "../../protocol/pool.ts";
import type { CappedMemory } from "./capped_memory.ts";
import type { QuickJs, QuickJsModule, Value } from "./quickjs.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** Bytes of the room in which short texts are handed over. */
const roomBytes = 8_192;
/** Most arguments of a call. */
const mostArguments = 8;

/** The guest, or the engine for it, threw. */
export class Thrown extends Error {
  /** Of the guest. Never freed: where it is thrown, the interpreter ends. */
  readonly value: Value;

  constructor(value: Value) {
    super("the guest threw");
    this.value = value;
  }
}

/** One interpreter with one context: QuickJS's functions with texts, bytes and functions in place of addresses. */
export class ScriptVm {
  readonly #js: QuickJs;
  readonly #module: QuickJsModule;
  readonly #memory: CappedMemory;
  readonly #runtime: number;
  readonly #context: number;
  readonly #room: number;
  readonly #arguments: number;
  readonly undefined: Value;

  constructor(js: QuickJs, module: QuickJsModule, memory: CappedMemory, stackBytes: number) {
    this.#js = js;
    this.#module = module;
    this.#memory = memory;
    this.#runtime = js.QTS_NewRuntime();
    this.#context = js.QTS_NewContext(this.#runtime, 0);
    this.#room = this.#allocate(roomBytes);
    this.#arguments = this.#allocate(mostArguments * 4);
    this.undefined = js.QTS_GetUndefined();
    js.QTS_RuntimeSetMaxStackSize(this.#runtime, stackBytes);
    js.QTS_RuntimeEnableInterruptHandler(this.#runtime);
  }

  get memoryBytes(): number {
    return this.#memory.memory.buffer.byteLength;
  }

  /** Whether it ever wanted more memory than it may have. */
  get exceededMemory(): boolean {
    return this.#memory.exceeded;
  }

  /** Runs, or with a flag only reads, a script that is UTF-8. @throws Thrown */
  evaluate(script: Uint8Array, name: string, flags = 0): Value {
    const { length } = script;
    const address = this.#allocate(length + 1);
    this.#module.HEAPU8.set(script, address);
    this.#module.HEAPU8[address + length] = 0;
    const value = this.#js.QTS_Eval(this.#context, address, length, name, 0, flags);
    this.#module._free(address);
    return this.#unlessThrown(value);
  }

  /** Calls a function of the guest; the values are freed. @throws Thrown */
  call(fn: Value, ...values: readonly Value[]): Value {
    const view = new Uint32Array(this.#module.HEAPU8.buffer, this.#arguments, mostArguments);
    view.set(values);
    const { undefined: self } = this;
    const { length } = values;
    const result = this.#js.QTS_Call(this.#context, fn, self, length, this.#arguments);
    for (const value of values) if (value !== self) this.free(value);
    return this.#unlessThrown(result);
  }

  /** Runs what promises wait for, all of it. @throws Thrown */
  runJobs(): void {
    if (this.#js.QTS_IsJobPending(this.#runtime) === 0) return;
    const done = this.#js.QTS_ExecutePendingJob(this.#runtime, -1, this.#arguments);
    this.free(this.#unlessThrown(done));
  }

  /** A function of the guest that calls the host. */
  function(id: number): Value {
    return this.#js.QTS_NewFunction(this.#context, "", 0, false, id);
  }

  number(value: number): Value {
    return this.#js.QTS_NewFloat64(this.#context, value);
  }

  /** A text without NUL. */
  text(text: string): Value {
    const mostBytes = text.length * 3 + 1;
    if (mostBytes <= roomBytes) return this.#textAt(this.#room, mostBytes, text);
    const address = this.#allocate(mostBytes);
    const value = this.#textAt(address, mostBytes, text);
    this.#module._free(address);
    return value;
  }

  #textAt(address: number, mostBytes: number, text: string): Value {
    const heap = this.#module.HEAPU8;
    const { written } = encoder.encodeInto(text, heap.subarray(address, address + mostBytes));
    heap[address + written] = 0;
    return this.#js.QTS_NewString(this.#context, address);
  }

  /** A buffer with a copy of the bytes. */
  bytes(bytes: Uint8Array): Value {
    const address = this.#allocate(bytes.length);
    this.#module.HEAPU8.set(bytes, address);
    return this.#js.QTS_NewArrayBuffer(this.#context, address, bytes.length);
  }

  /** One of a function's arguments; not to be freed. */
  argument(values: number, index: number): Value {
    return this.#js.QTS_ArgvGetJSValueConstPointer(values, index);
  }

  /** One element of an array. */
  element(array: Value, index: number): Value {
    return this.#unlessThrown(this.#js.QTS_GetPropNumber(this.#context, array, index));
  }

  readNumber(value: Value): number {
    return this.#js.QTS_GetFloat64(this.#context, value);
  }

  /** A text, to its first NUL. */
  readText(value: Value): string {
    const address = this.#js.QTS_GetString(this.#context, value);
    if (address === 0) throw new TypeError("the guest gave no text");
    const heap = this.#module.HEAPU8;
    const text = decoder.decode(heap.subarray(address, heap.indexOf(0, address)));
    this.#js.QTS_FreeCString(this.#context, address);
    return text;
  }

  /** A copy of a buffer's bytes. */
  readBytes(value: Value): Uint8Array<ArrayBuffer> {
    const length = this.#js.QTS_GetArrayBufferLength(this.#context, value);
    if (length === 0) return new Uint8Array(0);
    const address = this.#js.QTS_GetArrayBuffer(this.#context, value);
    if (address === 0) throw new TypeError("the guest gave no bytes, or has no memory for them");
    const bytes = allocateMessage(length);
    bytes.set(this.#module.HEAPU8.subarray(address, address + length));
    this.#module._free(address);
    return bytes;
  }

  free(value: Value): void {
    this.#js.QTS_FreeValuePointer(this.#context, value);
  }

  #unlessThrown(value: Value): Value {
    const thrown = this.#js.QTS_ResolveException(this.#context, value);
    if (thrown === 0) return value;
    this.free(value);
    throw new Thrown(thrown);
  }

  #allocate(bytes: number): number {
    const address = this.#module._malloc(Math.max(bytes, 1));
    if (address === 0) throw new RangeError(`the guest has no room for ${bytes} bytes`);
    return address;
  }
}
