import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkedTarget, targetOf } from "../../../src/cli/guest/binary_target.ts";
import { fromHex, utf8 } from "../../../src/protocol/bytes.ts";

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array();
const component = bytes("0061736d0d000100");
const script = utf8("export const x = 1;");

describe("the target of a binary", () => {
  it("[GD-18] is what it is: a component, or a script", () => {
    assert.equal(targetOf(component, "a.wasm"), "wasm32-wasip2");
    assert.equal(targetOf(component, "strange.js"), "wasm32-wasip2");
    for (const name of ["a.js", "b.mjs", "c.cjs"])
      assert.equal(targetOf(script, name), "roost-script");
  });

  it("is refused with what to build in its place", () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ["0061736d01000000", "a.wasm", /^a\.wasm is a core module; build a component of it/],
      ["0061736d0a000100", "a.wasm", /is WebAssembly of a kind that is not known/],
      ["7f454c460201", "a.so", /^a\.so is a native library \(ELF\); native code is not isolated/],
      ["cffaedfe0700", "a.dylib", /\(Mach-O\)/],
      ["4d5a9000", "a.dll", /\(PE\)/],
      ["61", "a.ts", /^a\.ts is TypeScript; bundle it/],
      ["6100", "a.js", /^a\.js is neither a WebAssembly component nor a script/],
      ["ff", "a.js", /neither/],
      ["61", "a.txt", /neither/],
      ["", "a.wasm", /neither/],
    ];
    for (const [hex, name, message] of cases) {
      assert.throws(() => targetOf(bytes(hex), name), { code: "invalid_argument", message });
    }
  });

  it("may be named where it fits the binary", () => {
    assert.equal(checkedTarget("wasm32-wasip1", component, "a.wasm"), "wasm32-wasip1");
    assert.equal(checkedTarget("roost-script", script, "a.js"), "roost-script");
    const wrong = { code: "invalid_argument", message: /^the target is .*leave the target out$/ };
    assert.throws(() => checkedTarget("wasm32-wasip2", script, "a.js"), wrong);
    assert.throws(() => checkedTarget("roost-script", component, "a.wasm"), wrong);
    assert.throws(() => checkedTarget("x86_64-unknown-linux-gnu", component, "a.wasm"), wrong);
  });
});
