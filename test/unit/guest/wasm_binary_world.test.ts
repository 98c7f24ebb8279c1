import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultOf } from "../../../src/guest/fault.ts";
import { maxFuel, prepareComponent } from "../../../src/guest/wasm/binary/prepare_component.ts";
import { type GuestName, guestComponent } from "../../fixtures/guests/guest_component.ts";
import {
  host,
  limits,
  pageBytes,
  workload,
  writeGuest,
  writeMain,
} from "../../fixtures/wasm_guest.ts";
import {
  constant,
  i32,
  i64,
  list,
  section,
  text,
  writeComponent,
  writeModule,
} from "../../fixtures/wasm_writer.ts";

const retired = "actr:workload/workload@0.1.0";

/** The text of a refusal, which has to be a typed one. */
function refusal(bytes: Uint8Array, fault = "load_failed", given = limits): string {
  try {
    prepareComponent(bytes, given);
  } catch (error) {
    assert.equal(faultOf(error), fault, String(error));
    return (error as Error).message;
  }
  return "";
}

/** A lifted function of the first type, with one option. */
const lift = (option: number): number[] => section(8, list([[0, 0, 0, 1, option, 1]]));
const plainFunction = section(7, list([[0x40, 0, 1, 0]]));
const asyncFunction = section(7, list([[0x43, 0, 1, 0]]));
const asyncOption = 6;
const utf16Option = 1;

describe("a guest's component", () => {
  it("gives its main module, what it imports and exports, and its first memory", () => {
    const main = writeMain({
      imports: [
        { module: host, name: "[async-lower]call", parameters: [i32, i32], results: [i32] },
        { module: "$root", name: "[waitable-set-drop]", parameters: [i32] },
        { module: `[export]${workload}`, name: "[task-return]dispatch", parameters: [i32, i64] },
      ],
      memories: [[3]],
    });
    const prepared = prepareComponent(writeGuest(main), limits);
    assert.equal(prepared.memoryBytes, 3 * pageBytes);
    assert.deepEqual(prepared.imports, [
      { module: host, name: "[async-lower]call", parameters: ["i32", "i32"], results: ["i32"] },
      { module: "$root", name: "[waitable-set-drop]", parameters: ["i32"], results: [] },
      {
        module: `[export]${workload}`,
        name: "[task-return]dispatch",
        parameters: ["i32", "i64"],
        results: [],
      },
    ]);
    assert.deepEqual(prepared.exports.at(1), {
      kind: "function",
      name: `[async-lift]${workload}#dispatch`,
      parameters: ["i32"],
      results: ["i32"],
    });
    assert.deepEqual(prepared.exports.at(-1), { kind: "memory", name: "memory" });
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(prepared.main));
    for (const name of [prepared.fuelGlobal, prepared.deniedGlobal]) {
      assert.ok(exports.some((one) => one.name === name && one.kind === "global"));
    }
  });

  it("may be what wit-component makes: a main module, a shim, a fix-up", async () => {
    for (const name of ["echo", "probe"] satisfies GuestName[]) {
      const prepared = prepareComponent(await guestComponent(name), limits);
      assert.ok(WebAssembly.validate(prepared.main), name);
    }
  });

  it("[G-42] is not a core module: built as a component it may run", () => {
    assert.match(refusal(writeMain()), /core module.*rebuild.*wasm32-wasip2/);
  });

  it("[G-45] is neither empty nor garbage, nor of another format", () => {
    assert.match(refusal(new Uint8Array()), /empty/);
    const garbage = new TextEncoder().encode("definitely no component");
    assert.match(refusal(garbage), /not a WebAssembly component.*64 65 66 69/);
    assert.match(refusal(Uint8Array.of(0, 0x61, 0x73, 0x6d)), /another version/);
    assert.match(refusal(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0a, 0, 1, 0)), /another version/);
    const cut = writeGuest();
    for (let length = 9; length < cut.length; length++) {
      assert.notEqual(refusal(cut.subarray(0, length)), "", `${length} bytes`);
    }
  });

  it("[G-46] is not longer than the limit, whatever its bytes are", () => {
    const bytes = new Uint8Array(limits.codeBytes + 1);
    assert.match(refusal(bytes, "resource_limit"), new RegExp(`${bytes.length} bytes`));
  });

  it("[G-47] [G-49] is of one world, the current one: three texts", () => {
    const exporting = (...exports: string[]): string => refusal(writeGuest(undefined, { exports }));
    assert.match(exporting(), /no recognised world.*no interface/);
    assert.match(exporting("wasi:cli/run@0.2.0"), /no recognised world.*wasi:cli\/run/);
    assert.match(exporting(retired), /retired world.*rebuild/);
    assert.match(exporting(retired, workload), /both worlds/);
    assert.equal(exporting(workload), "");
  });

  it("[G-48] has types that wait for functions that wait, as current SDKs write them", () => {
    const further = (...parts: number[][]): string =>
      refusal(writeGuest(undefined, { further: parts.flat() }));
    assert.match(further(plainFunction, lift(asyncOption)), /old SDK.*rebuild/);
    assert.equal(further(asyncFunction, lift(asyncOption)), "");
    assert.equal(further(plainFunction, lift(0)), "");
  });

  it("numbers types as imports, aliases and exports do", () => {
    const alias = section(6, list([[3, 0, 0, ...text("bytes")]]));
    const further = [...alias, ...plainFunction, ...section(8, list([[0, 0, 0, 1, 6, 2]]))];
    assert.match(refusal(writeGuest(undefined, { further })), /old SDK/);
  });

  it("imports nothing outside its world; what it does is named", () => {
    const imports = [host, "wasi:sockets/tcp@0.2.3", "evil:disk/raw@1.0.0"];
    const problem = refusal(writeGuest(undefined, { imports }));
    assert.match(problem, /wasi:sockets\/tcp@0\.2\.3, evil:disk\/raw@1\.0\.0/);
    const alone = writeGuest(undefined, { imports: ["evil:disk/raw@1.0.0"] });
    assert.match(refusal(alone), /outside its world: evil/);
    const system = ["wasi:cli/stdout@0.2.6", "wasi:io/streams@0.2.0", "wasi:random/random@0.2.1"];
    assert.equal(refusal(writeGuest(undefined, { imports: [host, ...system] })), "");
    const core = writeMain({ imports: [{ module: "env", name: "abort" }] });
    assert.match(refusal(writeGuest(core)), /outside its world: env/);
    const preview1 = writeMain({
      imports: [{ module: "wasi_snapshot_preview1", name: "fd_write" }],
    });
    assert.match(refusal(writeGuest(preview1)), /wasi_snapshot_preview1.*wasm32-wasip2/);
  });

  it("has one module that is the guest: adapters, libraries and compositions are named", () => {
    const adapter = writeModule({ imports: [{ module: "__main_module__", name: "cabi_realloc" }] });
    const second = (module: Uint8Array): string =>
      refusal(writeGuest(undefined, { modules: [module] }));
    assert.match(second(adapter), /core module 1 imports __main_module__.*Python/);
    assert.match(
      second(writeModule({ imports: [{ module: host, name: "call" }] })),
      /imports actr:/,
    );
    assert.match(second(writeMain()), /core module 1 has entries beside/);
    assert.equal(second(writeModule({ imports: [{ module: "shim", name: "0" }] })), "");
    const inner = writeComponent({ modules: [writeModule({})] });
    const composed = writeGuest(undefined, { further: section(4, [...inner]) });
    assert.match(refusal(composed), /composed of components/);
  });

  it("has entries with callbacks, a memory and a way to allocate", () => {
    assert.match(refusal(writeGuest(writeModule({}))), /no core module exports entries/);
    const entry = { parameters: [i32], results: [i32], code: constant(0) };
    const plain = writeModule({ functions: [{ ...entry, export: `${workload}#dispatch` }] });
    assert.match(refusal(writeGuest(plain)), /form that is not supported.*#dispatch/);
    const bare = writeModule({
      functions: [{ ...entry, export: `[async-lift]${workload}#dispatch` }],
    });
    assert.match(
      refusal(writeGuest(bare)),
      /does not export \[callback\]\[async-lift\].*, cabi_realloc, memory/,
    );
  });

  it("exports no import as a function of its own", () => {
    const main = writeMain({
      imports: [{ module: "$root", name: "[waitable-set-new]", results: [i32] }],
      exports: { borrowed: [0, 0] },
    });
    assert.match(refusal(writeGuest(main)), /borrowed is no function of the module's own/);
  });

  it("passes texts as UTF-8, and shares neither memory nor tables with other modules", () => {
    const further = [...asyncFunction, ...lift(utf16Option)];
    assert.match(refusal(writeGuest(undefined, { further })), /UTF-16/);
    const memory = section(2, list([[...text(host), ...text("memory"), 2, 0, 1]]));
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const entry = section(7, list([[...text(`[async-lift]${workload}#on-start`), 0, 0]]));
    const sharing = Uint8Array.from([...header, ...memory, ...entry]);
    assert.match(refusal(writeGuest(sharing)), /imports a memory, actr:.* memory: /);
  });

  it("is given fuel that an i32 can count", () => {
    for (const fuel of [0, -1, 1.5, maxFuel + 1, Number.NaN]) {
      assert.throws(() => prepareComponent(writeGuest(), { ...limits, fuel }), RangeError);
    }
    assert.doesNotThrow(() => prepareComponent(writeGuest(), { ...limits, fuel: maxFuel }));
  });
});
