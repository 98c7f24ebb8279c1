import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultOf } from "../../../src/guest/fault.ts";
import { CountedInstance, counted, pageBytes } from "../../fixtures/wasm_guest.ts";
import {
  funcref,
  i32,
  leb,
  type WrittenFunction,
  type WrittenLimits,
  writeModule,
} from "../../fixtures/wasm_writer.ts";

const memoryBytes = 10 * pageBytes;
const tableElements = 100;

const grow = (memory: number): WrittenFunction => ({
  parameters: [i32],
  results: [i32],
  code: [0x20, 0, 0x40, ...leb(memory)],
  export: `grow${memory}`,
});
const growTable = (table: number): WrittenFunction => ({
  parameters: [i32],
  results: [i32],
  code: [0xd0, funcref, 0x20, 0, 0xfc, 0x0f, ...leb(table)],
  export: `growTable${table}`,
});

function memories(...all: readonly WrittenLimits[]): Uint8Array {
  const exports = Object.fromEntries(all.map((_, index) => [`memory${index}`, [2, index]]));
  return writeModule({ memories: all, functions: all.map((_, index) => grow(index)), exports });
}

function tables(...all: readonly WrittenLimits[]): Uint8Array {
  const exports = Object.fromEntries(all.map((_, index) => [`table${index}`, [1, index]]));
  return writeModule({ tables: all, functions: all.map((_, index) => growTable(index)), exports });
}

const pagesOf = ({ instance }: CountedInstance, name: string): number =>
  (instance.exports[name] as WebAssembly.Memory).buffer.byteLength / pageBytes;

/** Whether this runtime knows modules with several memories. */
const severalMemories = WebAssembly.validate(memories([1], [1]) as Uint8Array<ArrayBuffer>);

describe("memory of a main module", () => {
  it("grows up to the limit, not beyond; what was refused is counted", () => {
    const running = new CountedInstance(memories([2]), { memoryBytes });
    assert.equal(running.call("grow0", 8), 2);
    assert.equal(running.denied, 0);
    assert.equal(running.call("grow0", 1), -1);
    assert.equal(running.call("grow0", -1), -1);
    assert.equal(running.call("grow0", 0x7fff_ffff), -1);
    assert.equal(running.denied, 3);
    assert.equal(pagesOf(running, "memory0"), 10);
  });

  it("keeps a limit of its own that is lower", () => {
    const running = new CountedInstance(memories([2, 4]), { memoryBytes });
    assert.equal(running.call("grow0", 3), -1);
    assert.equal(running.denied, 1);
    assert.equal(running.call("grow0", 2), 2);
  });

  it("cannot be grown past the limit from outside either", () => {
    for (const declared of [[2], [2, 60]] as const) {
      const { instance } = new CountedInstance(memories(declared), { memoryBytes });
      const memory = instance.exports["memory0"] as WebAssembly.Memory;
      assert.throws(() => memory.grow(9), RangeError);
      assert.equal(memory.grow(8), 2);
    }
  });

  it("[G-85] is the sum of all memories", { skip: !severalMemories }, () => {
    const running = new CountedInstance(memories([2], [3, 9]), { memoryBytes });
    assert.equal(running.call("grow0", 3), 2);
    assert.equal(running.call("grow1", 3), -1);
    assert.equal(running.call("grow1", 2), 3);
    assert.equal(running.call("grow0", 1), -1);
    assert.equal(running.call("grow1", 1), -1);
    assert.equal(running.denied, 3);
    assert.equal(pagesOf(running, "memory0") + pagesOf(running, "memory1"), 10);
  });

  it("[G-85] [G-88] is within the limit from the beginning: the sum, with a typed error", () => {
    assert.throws(
      () => counted(memories([6], [5]), { memoryBytes }),
      (error) =>
        faultOf(error) === "resource_limit" && /720896 bytes of memory/.test(String(error)),
    );
    assert.throws(
      () => counted(memories([65_536]), { memoryBytes }),
      (error) => faultOf(error) === "resource_limit",
    );
    assert.doesNotThrow(() => counted(memories([10]), { memoryBytes }));
  });
});

describe("tables of a main module", () => {
  it("[G-87] have the sum of their elements within the limit", () => {
    const running = new CountedInstance(tables([20], [30]), { tableElements });
    assert.equal(running.call("growTable0", 40), 20);
    assert.equal(running.call("growTable1", 11), -1);
    assert.equal(running.call("growTable1", 10), 30);
    assert.equal(running.call("growTable0", 1), -1);
    assert.equal(running.call("growTable0", -1), -1);
    assert.equal(running.denied, 3);
    const { table0, table1 } = running.instance.exports;
    assert.equal((table0 as WebAssembly.Table).length + (table1 as WebAssembly.Table).length, 100);
  });

  it("[G-87] [G-88] have it from the beginning, with a typed error", () => {
    assert.throws(
      () => counted(tables([60], [41]), { tableElements }),
      (error) =>
        faultOf(error) === "resource_limit" && /101 elements of tables/.test(String(error)),
    );
    assert.doesNotThrow(() => counted(tables([60], [40]), { tableElements }));
  });

  it("keep a limit of their own that is lower", () => {
    const running = new CountedInstance(tables([1, 5]), { tableElements });
    assert.equal(running.call("growTable0", 5), -1);
    assert.equal(running.call("growTable0", 4), 1);
    assert.equal(running.denied, 1);
  });
});

describe("code of a main module", () => {
  it("does not become longer by counting than twice what a component may be", () => {
    const loops = Array.from({ length: 2_000 }, () => [0x03, 0x40, 0x0b]).flat();
    const module = writeModule({ functions: [{ code: loops }] });
    const codeBytes = module.length;
    assert.throws(
      () => counted(module, { codeBytes }),
      (error) => faultOf(error) === "resource_limit" && /fuel counted/.test(String(error)),
    );
    assert.doesNotThrow(() => counted(module, { codeBytes: 4 * codeBytes }));
  });
});
