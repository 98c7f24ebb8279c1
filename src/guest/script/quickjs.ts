/** A value of the guest, by its address. */
export type Value = number;

/** What of QuickJS's functions is used; every number but lengths and floats is an address. */
export interface QuickJs {
  QTS_NewRuntime(): number;
  QTS_NewContext(runtime: number, intrinsics: number): number;
  QTS_RuntimeSetMaxStackSize(runtime: number, bytes: number): void;
  QTS_RuntimeEnableInterruptHandler(runtime: number): void;
  QTS_Eval(
    context: number,
    code: number,
    length: number,
    name: string,
    detectModule: number,
    flags: number,
  ): Value;
  QTS_Call(context: number, fn: Value, self: Value, count: number, values: number): Value;
  QTS_ResolveException(context: number, value: Value): Value;
  QTS_ExecutePendingJob(runtime: number, most: number, context: number): Value;
  QTS_IsJobPending(runtime: number): number;
  QTS_NewFunction(
    context: number,
    name: string,
    length: number,
    isConstructor: boolean,
    id: number,
  ): Value;
  QTS_NewString(context: number, text: number): Value;
  QTS_NewFloat64(context: number, value: number): Value;
  QTS_NewArrayBuffer(context: number, bytes: number, length: number): Value;
  QTS_GetString(context: number, value: Value): number;
  QTS_GetFloat64(context: number, value: Value): number;
  QTS_GetArrayBuffer(context: number, value: Value): number;
  QTS_GetArrayBufferLength(context: number, value: Value): number;
  QTS_GetPropNumber(context: number, value: Value, index: number): Value;
  QTS_GetUndefined(): Value;
  QTS_ArgvGetJSValueConstPointer(values: number, index: number): Value;
  QTS_FreeCString(context: number, text: number): void;
  QTS_FreeValuePointer(context: number, value: Value): void;
}

/** What of the module around the engine is used. */
export interface QuickJsModule {
  /** All of its memory, renewed when it grows. */
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** What the engine calls. */
export interface EngineCalls {
  /** A function that was made with this id: gives a value that becomes the engine's, or 0 for undefined. Never throws. */
  callFunction(id: number, values: number, count: number): Value;
  /** Asked every 10,000 function calls and turns of loops of the guest: whether it has to end. */
  shouldInterrupt(): boolean;
}
