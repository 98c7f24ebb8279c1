import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { RunningMeter } from "../../adapters/system_meter.ts";

describe("system meter", () => {
  it("averages how late timers fire", async () => {
    const clock = new FakeClock();
    using meter = new RunningMeter(clock);
    await clock.advance(60_000);
    assert.equal(meter.load().eventLoopDelayMs, 0);
    const timer = clock.timer.bind(clock);
    clock.timer = (atMs, fn) => timer(atMs + 100, fn);
    await clock.advance(60_000);
    const busy = meter.load().eventLoopDelayMs ?? 0;
    assert.ok(busy > 90 && busy <= 100, `${busy}`);
    clock.timer = timer;
    await clock.advance(60_000);
    assert.ok((meter.load().eventLoopDelayMs ?? 100) < 1, "what is over is forgotten");
  });

  it("tells the memory of this runtime, and its limit", () => {
    using meter = new RunningMeter(systemClock());
    const { memory } = meter.load();
    assert.ok(memory !== undefined);
    assert.ok(memory.usedBytes > 1_000_000, `${memory.usedBytes}`);
    assert.ok(memory.limitBytes > memory.usedBytes, `${memory.limitBytes}`);
  });

  it("leaves no timer behind", () => {
    const clock = new FakeClock();
    new RunningMeter(clock)[Symbol.dispose]();
    assert.equal(clock.pending, 0);
  });
});
