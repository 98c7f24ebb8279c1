import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FuelMeter } from "../../../src/guest/wasm/abi/fuel_meter.ts";
import { GuestMemory } from "../../../src/guest/wasm/abi/guest_memory.ts";
import { Handles } from "../../../src/guest/wasm/abi/handles.ts";
import {
  liftChunk,
  liftDestination,
  liftError,
  liftFlag,
  liftLane,
} from "../../../src/guest/wasm/abi/lift_values.ts";
import { WaitableSet } from "../../../src/guest/wasm/abi/waitable_set.ts";
import { failsBy } from "../../fixtures/guests/fails_by.ts";

const pageBytes = 65_536;

/** A page of memory whose guest puts things at `place`. */
function page(place = 0, mostLifted = pageBytes): GuestMemory {
  return new GuestMemory(new WebAssembly.Memory({ initial: 1 }), () => place, mostLifted);
}

describe("a guest's memory", () => {
  it("has nothing behind its last byte, and places only where numbers may stand", () => {
    const memory = page();
    memory.requireInside(pageBytes - 8, 8, 8);
    const outside = failsBy("trapped", /outside of its memory/);
    assert.throws(() => memory.requireInside(pageBytes - 7, 8, 1), outside);
    assert.throws(() => memory.requireInside(2 ** 32 - 1, 2 ** 32 - 1, 1), outside);
    const odd = failsBy("trapped", /4 is not a multiple of 8/);
    assert.throws(() => memory.requireInside(4, 8, 8), odd);
  });

  it("is written where the guest said only when that is its own", () => {
    for (const [place, text] of [
      [pageBytes - 2, /outside/],
      [-1, /outside/],
      [12, /multiple of 8/],
    ] as const) {
      assert.throws(() => page(place).allocate(8, 8), failsBy("trapped", text), String(place));
    }
    assert.throws(
      () => page(pageBytes - 2).lowerBytes(0, new Uint8Array(3)),
      failsBy("trapped", /outside/),
    );
  });

  it("is found again when it grows while the guest makes room", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const grown = new GuestMemory(memory, () => memory.grow(1) * pageBytes, pageBytes);
    grown.lowerText(8, "far");
    assert.equal(grown.view.getUint32(8, true), pageBytes);
    assert.equal(grown.liftText(8), "far");
  });

  it("gives no more in one call than its limit, an element of a list counting as what it takes", () => {
    const memory = page(0, 256);
    const much = failsBy("resource_limit", /more than 256 bytes/);
    memory.bytesAt(0, 256);
    assert.throws(() => memory.textAt(0, 1), much);
    memory.lifted = 0;
    memory.view.setUint32(4, 2, true);
    assert.equal(memory.liftElements(0, 4, 16).count, 2);
    memory.view.setUint32(4, 1, true);
    assert.throws(() => memory.liftElements(0, 4, 16), much);
  });
});

describe("values that a guest hands over", () => {
  it("have the cases that there are", () => {
    const memory = page();
    const noCase = failsBy("trapped", /no such case/);
    memory.view.setUint8(0, 3);
    assert.throws(() => liftDestination(memory, 0), noCase);
    memory.view.setUint8(0, 4);
    assert.equal(liftLane(memory, 0), 4);
    memory.view.setUint8(0, 5);
    assert.throws(() => liftLane(memory, 0), noCase);
    const flat = { a: 0, b: 0n, c: 0, d: 0 };
    assert.equal(liftError(memory, { ...flat, tag: 10 }).code, "internal");
    assert.throws(() => liftError(memory, { ...flat, tag: 11 }), noCase);
  });

  it("are there, or are not", () => {
    assert.deepEqual([0, 1].map(liftFlag), [false, true]);
    for (const other of [2, -1, 2 ** 31]) {
      assert.throws(() => liftFlag(other), failsBy("trapped", /neither 0 nor 1/));
    }
  });

  it("have no more metadata than chunks may", () => {
    const memory = page(0, 2 ** 20);
    memory.view.setUint32(28, 1_024, true);
    assert.equal(liftChunk(memory, 0).metadata.length, 1_024);
    memory.view.setUint32(28, 1_025, true);
    assert.throws(() => liftChunk(memory, 0), failsBy("resource_limit", /1024 entries/));
  });
});

describe("handles of a guest", () => {
  it("are 4,096 at most, and are used again", () => {
    const handles = new Handles();
    for (let handle = 1; handle <= 4_096; handle++) {
      assert.equal(handles.add(new WaitableSet()), handle);
    }
    const tooMany = failsBy("resource_limit", /4096 calls and sets/);
    assert.throws(() => handles.add(new WaitableSet()), tooMany);
    handles.remove(7);
    assert.throws(() => handles.set(7), failsBy("trapped", /7 is not a set/));
    assert.equal(handles.add(new WaitableSet()), 7);
  });
});

describe("fuel of a guest", () => {
  it("is what an entry was given, whatever the one before it owed", () => {
    const counter = { value: 0 };
    const meter = new FuelMeter(counter);
    meter.fill(100_000);
    meter.charge(9_000);
    meter.fill(50_000);
    assert.equal(meter.left, 50_000);
    meter.charge(9_000);
    assert.equal(meter.left, 40_000);
  });
});
