import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { clockConformance } from "../conformance/clock.ts";

const never = new AbortController().signal;

clockConformance("system", async () => {
  const clock = systemClock();
  return {
    clock,
    pass: (ms) => clock.sleep(ms, { signal: never }),
    [Symbol.asyncDispose]: async () => {},
  };
});

clockConformance("fake", async () => {
  const clock = new FakeClock();
  return {
    clock,
    pass: (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: async () => assert.equal(clock.pending, 0, "timers left behind"),
  };
});

describe("fake clock", () => {
  it("stands still until it is advanced", async () => {
    const clock = new FakeClock(5_000_000_000_000);
    await clock.settle();
    assert.equal(clock.now(), 5_000_000_000_000);
    await clock.advance(250);
    assert.deepEqual([clock.now(), clock.monotonic()], [5_000_000_000_250, 250]);
  });

  it("shows whole milliseconds, as wall time does, after timers of fractions", async () => {
    const clock = new FakeClock(0);
    const at: number[] = [];
    for (const due of [0.4, 1.5, 2]) clock.timer(due, () => at.push(clock.now()));
    await clock.advance(10);
    assert.deepEqual(at, [1, 2, 2]);
  });

  it("lets awaiting code set new timers between two firings", async () => {
    const clock = new FakeClock(0);
    const woke: number[] = [];
    const loop = (async () => {
      for (let round = 0; round < 5; round++) {
        await clock.sleep(100, { signal: never });
        woke.push(clock.now());
      }
    })();
    await clock.advance(500);
    await loop;
    assert.deepEqual(woke, [100, 200, 300, 400, 500]);
    assert.equal(clock.pending, 0);
  });

  it("shows each timer the time at which it was due", async () => {
    const clock = new FakeClock(0);
    const seen: number[] = [];
    for (const at of [50, 7, 7, 1_000]) clock.timer(at, () => seen.push(clock.now()));
    await clock.advance(999);
    assert.deepEqual(seen, [7, 7, 50]);
    assert.equal(clock.nextAt, 1_000);
  });

  it("runs chains of deferred work within one settle", async () => {
    const clock = new FakeClock();
    let depth = 0;
    const again = (): void => {
      if (++depth < 100) clock.defer(again);
    };
    clock.defer(again);
    await clock.settle();
    assert.equal(depth, 100);
  });

  it("lets a timer of the past be cancelled before its turn", async () => {
    const clock = new FakeClock();
    let fired = false;
    clock
      .timer(0, () => {
        fired = true;
      })
      .cancel();
    await clock.settle();
    assert.equal(fired, false);
  });

  it("passes long times instant by instant, in order, up to a timer that is set meanwhile", async () => {
    const clock = new FakeClock(0);
    const seen: string[] = [];
    for (const name of ["a", "b"]) {
      clock.timer(10, () => {
        seen.push(`${name} at ${clock.now()}`);
        void Promise.resolve().then(() => seen.push(`after ${name}`));
      });
    }
    clock.timer(20, () => clock.timer(30, () => seen.push(`c at ${clock.now()}`)));
    await clock.pass(29);
    assert.deepEqual(seen, ["a at 10", "b at 10", "after a", "after b"]);
    await clock.pass(1);
    assert.equal(seen.at(-1), "c at 30");
    assert.deepEqual([clock.now(), clock.pending], [30, 0]);
  });
});
