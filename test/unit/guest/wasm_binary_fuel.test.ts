import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultOf } from "../../../src/guest/fault.ts";
import { CountedInstance, counted, limits } from "../../fixtures/wasm_guest.ts";
import {
  constant,
  empty,
  funcref,
  i32,
  leb,
  list,
  section,
  type WrittenFunction,
  type WrittenModule,
  writeModule,
} from "../../fixtures/wasm_writer.ts";

const nop = 0x01;
const end = 0x0b;
const nops = (count: number): number[] => new Array<number>(count).fill(nop);

/** A module with functions `f0`, `f1`… */
function withCode(...codes: readonly (readonly number[])[]): Uint8Array {
  return module(codes.map((code) => ({ code })));
}

function module(functions: readonly WrittenFunction[], further: WrittenModule = {}): Uint8Array {
  const named = functions.map((one, index) => ({ ...one, export: `f${index}` }));
  return writeModule({ ...further, functions: named });
}

/** `for (i = p0; i > 0; i--) body` */
const countdown = (body: readonly number[] = []): number[] => [
  ...[0x02, empty, 0x20, 0, 0x45, 0x0d, 0, 0x03, empty],
  ...body,
  ...[0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, end, end],
];

const loads = (given: () => unknown): string => {
  try {
    given();
    return "";
  } catch (error) {
    assert.equal(faultOf(error), "load_failed");
    return (error as Error).message;
  }
};

describe("fuel of a main module", () => {
  it("is a point for each function that is entered", () => {
    const running = new CountedInstance(withCode([], [0x10, 0, 0x10, 0]));
    assert.equal(running.cost("f0"), 1);
    assert.equal(running.cost("f1"), 3);
  });

  it("is a point for each turn of a loop", () => {
    const running = new CountedInstance(module([{ parameters: [i32], code: countdown() }]));
    assert.equal(running.cost("f0", 0), 1);
    assert.equal(running.cost("f0", 1), 2);
    assert.equal(running.cost("f0", 1_000), 1_001);
  });

  it("is a point for every 128 instructions in a row", () => {
    const running = new CountedInstance(withCode(nops(127), nops(128), nops(10_000)));
    assert.equal(running.cost("f0"), 1);
    assert.equal(running.cost("f1"), 2);
    assert.equal(running.cost("f2"), 1 + Math.floor(10_000 / 128));
  });

  it("is not saved by branches around the points", () => {
    const evasion = [...nops(120), 0x02, empty, 0x0c, 0, ...nops(130), end];
    const times = 64;
    const all = Array.from({ length: times }, () => evasion).flat();
    const executed = times * 122;
    assert.ok(new CountedInstance(withCode(all)).cost("f0") >= executed / 130);
    const past = [...nops(120), ...constant(0), 0x04, empty, 0x0f, end];
    const around = Array.from({ length: times }, () => past).flat();
    assert.ok(new CountedInstance(withCode(around)).cost("f0") >= executed / 130);
  });

  it("is not taken twice where arms of a branch meet", () => {
    const arms = [...constant(1), 0x04, empty, ...nops(20), 0x05, ...nops(20), end];
    const cost = new CountedInstance(withCode([...arms, ...arms, ...arms])).cost("f0");
    assert.equal(cost, 1);
  });

  it("ends a loop without end with a trap, at nothing", () => {
    const running = new CountedInstance(withCode([0x03, empty, 0x0c, 0, end]), { fuel: 50_000 });
    assert.throws(() => running.call("f0"), WebAssembly.RuntimeError);
    assert.equal(running.fuel, 0);
    assert.throws(() => running.call("f0"), WebAssembly.RuntimeError);
    running.fuel = 10;
    assert.throws(() => running.call("f0"), WebAssembly.RuntimeError);
    assert.equal(running.fuel, 0);
  });

  it("ends calls without end, by tail calls and through tables too", () => {
    const tail = module([{ code: [0x12, 0] }]);
    const indirect = module([{ code: [...constant(0), 0x11, 0, 0] }, { code: [0x10, 0] }], {
      tables: [[1]],
      elements: [[0, ...constant(0), end, 1, 1]],
    });
    for (const bytes of [tail, indirect]) {
      if (!WebAssembly.validate(counted(bytes).bytes)) continue;
      const running = new CountedInstance(bytes, { fuel: 500 });
      assert.throws(() => running.call("f0"), WebAssembly.RuntimeError);
      assert.equal(running.fuel, 0);
    }
  });

  it("counts start functions, before a host can set anything", () => {
    const endless = writeModule({ functions: [{ code: [0x03, empty, 0x0c, 0, end] }], start: 0 });
    assert.throws(() => new CountedInstance(endless), WebAssembly.RuntimeError);
    const short = writeModule({ functions: [{ code: [] }], start: 0 });
    assert.equal(new CountedInstance(short).fuel, limits.fuel - 1);
  });

  it("is a point for an instruction that moves, and one for every 256 bytes or 8 elements", () => {
    const parameters = [i32];
    const moved = module(
      [
        { parameters, code: [...constant(0), ...constant(7), 0x20, 0, 0xfc, 0x0b, 0] },
        { parameters, code: [...constant(0), ...constant(9), 0x20, 0, 0xfc, 0x0a, 0, 0] },
        { parameters, code: [...constant(0), ...constant(0), 0x20, 0, 0xfc, 0x08, 0, 0] },
        { parameters, code: [...constant(0), 0xd0, funcref, 0x20, 0, 0xfc, 0x11, 0] },
        { parameters, code: [...constant(0), ...constant(0), 0x20, 0, 0xfc, 0x0e, 0, 0] },
      ],
      { memories: [[1]], tables: [[600]], data: [[1, ...leb(600), ...nops(600)]] },
    );
    const running = new CountedInstance(moved);
    for (const name of ["f0", "f1", "f2"]) {
      assert.equal(running.cost(name, 255), 2, name);
      assert.equal(running.cost(name, 600), 2 + 2, name);
    }
    for (const name of ["f3", "f4"]) {
      assert.equal(running.cost(name, 7), 2, name);
      assert.equal(running.cost(name, 600), 2 + 75, name);
    }
    running.fuel = 100;
    assert.throws(() => running.call("f0", 60_000), WebAssembly.RuntimeError);
    assert.equal(running.fuel, 0, "what is too dear takes all");
  });

  it("is more for entries with many locals, and for exceptions", () => {
    const many = new Array<number>(1_600).fill(i32);
    const free = { locals: many.slice(0, 128), code: [] };
    const dear = { locals: many.slice(0, 129), code: [] };
    const running = new CountedInstance(module([{ locals: many, code: [] }, free, dear]));
    assert.equal(running.cost("f0"), 1 + 1 + (1_600 * 16) / 256);
    assert.deepEqual([running.cost("f1"), running.cost("f2")], [1, 1 + 1 + (128 * 16) / 256]);
    const caught = [0x06, empty, ...constant(1), 0x08, 0, 0x07, 0, 0x1a, end];
    const thrown = module([{ code: caught }, { parameters: [i32], code: [] }], { tags: [[0, 1]] });
    assert.equal(new CountedInstance(thrown).cost("f0"), 1 + 1 + 64);
  });

  it("is a point for what is read from tables and written there", () => {
    const code = [...constant(0), ...constant(0), 0x25, 0, 0x26, 0];
    assert.equal(new CountedInstance(module([{ code }], { tables: [[1]] })).cost("f0"), 1 + 2);
  });

  it("is a page's worth for a growth, and as much for each page", () => {
    const code = [0x20, 0, 0x40, 0];
    const running = new CountedInstance(
      module([{ parameters: [i32], results: [i32], code }], { memories: [[1]] }),
    );
    assert.equal(running.cost("f0", 0), 1 + 257 + 1);
    assert.equal(running.cost("f0", 3), 1 + 257 + 1 + 3 * 256);
  });

  it("cannot be named by the guest", () => {
    for (const index of [0, 1]) {
      const read = withCode([0x23, index, 0x1a]);
      assert.match(
        loads(() => counted(read)),
        new RegExp(`global ${index} does not exist`),
      );
      const written = withCode([...constant(1_000), 0x24, index]);
      assert.match(
        loads(() => counted(written)),
        new RegExp(`global ${index} does not exist`),
      );
    }
    for (const instruction of [0x10, 0xd2]) {
      assert.match(
        loads(() => counted(withCode([instruction, 1]))),
        /function 1 does not exist/,
      );
    }
  });

  it("has names that no export of the guest has", () => {
    const taken = { "roost:fuel": [3, 0], "roost:denied": [3, 0], "roost:fuel_": [3, 0] };
    const globals = [[i32, 1, ...constant(5), end]];
    const { bytes, fuelGlobal, deniedGlobal } = counted(writeModule({ globals, exports: taken }));
    assert.deepEqual([fuelGlobal, deniedGlobal], ["roost:fuel__", "roost:denied_"]);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    assert.equal((exports["roost:fuel"] as WebAssembly.Global).value, 5);
    assert.equal((exports[fuelGlobal] as WebAssembly.Global).value, limits.fuel);
  });

  it("refuses instructions whose cost or memory it does not know, by their numbers", () => {
    const collected = withCode([0xfb, 0x00, 0]);
    assert.match(
      loads(() => counted(collected)),
      /0xfb.*garbage-collected/,
    );
    assert.match(
      loads(() => counted(withCode([0xfc, 0x40]))),
      /0xfc 0x40 is unknown/,
    );
    assert.match(
      loads(() => counted(withCode([0xe0, 0]))),
      /0xe0 is unknown/,
    );
  });

  it("refuses what could bring an engine down: deep nesting, functions without measure", () => {
    const nested = (depth: number): Uint8Array =>
      withCode([
        ...new Array<number[]>(depth).fill([0x02, empty]).flat(),
        ...new Array<number>(depth).fill(end),
      ]);
    assert.match(
      loads(() => counted(nested(5_000))),
      /nested too deep/,
    );
    assert.equal(
      loads(() => counted(nested(4_999))),
      "",
    );
    const long = (length: number): string =>
      loads(() => counted(withCode(nops(length - 2)), { codeBytes: 2 ** 22 }));
    assert.equal(long(2 ** 20), "");
    assert.match(long(2 ** 20 + 1), /more than 1048576 bytes/);
    const wide = module([{ results: new Array<number>(65).fill(i32), code: [0x00] }]);
    assert.match(
      loads(() => counted(wide)),
      /65 results, at most 64/,
    );
  });

  it("refuses what is there twice, or not, or more often than can be counted", () => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const problem = (...sections: number[][]): string =>
      loads(() => counted(Uint8Array.from([...header, ...sections.flat()])));
    const types = section(1, list([[0x60, 0, 0]]));
    assert.equal(problem(types), "");
    assert.match(problem(types, types), /not in its place/);
    assert.match(problem(section(1, [0x80, 0x80, 0x80, 0x80, 0x10])), /more than 32 bits/);
    const functions = section(3, list([[0]]));
    assert.match(problem(types, functions, section(10, [0])), /1 functions and 0 bodies/);
    const withLocals = (count: number): string => {
      const body = [1, ...leb(count), i32, end];
      return problem(types, functions, section(10, list([[body.length, ...body]])));
    };
    assert.equal(withLocals(50_000), "");
    assert.match(withLocals(50_001), /50001 locals/);
  });

  it("refuses types of collected objects, shared and wide memory, exceptions with references", () => {
    const collected = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x5f, 1, i32);
    assert.match(
      loads(() => counted(collected)),
      /structure.*garbage-collected/,
    );
    const memory = (flags: number): Uint8Array =>
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 4, 1, flags, 1, 1);
    assert.match(
      loads(() => counted(memory(3))),
      /shared memory/,
    );
    assert.match(
      loads(() => counted(memory(5))),
      /64-bit memory/,
    );
    const tagged = module([{ parameters: [0x6f], code: [] }], { tags: [[0, 0]] });
    assert.match(
      loads(() => counted(tagged)),
      /exception that holds references/,
    );
  });
});
