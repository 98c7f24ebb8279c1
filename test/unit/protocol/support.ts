import assert from "node:assert/strict";
import { ActrError, type ErrorCode } from "../../../src/errors.ts";
import { fromHex } from "../../../src/protocol/bytes.ts";

/** Bytes of hexadecimal text that may be spaced. */
export function hex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(text.replaceAll(" ", ""));
  assert.ok(bytes !== undefined, `not hexadecimal: ${text}`);
  return bytes;
}

/** The ActrError that `run` throws, which must have this code. */
export function refusal(code: ErrorCode, run: () => unknown): ActrError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ActrError, `expected an ActrError, got ${String(error)}`);
    assert.equal(error.code, code);
    return error;
  }
  assert.fail(`expected ${code}`);
}
