import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { Deadlines } from "../../../src/session/deadlines.ts";

/** How late a deadline may be noticed, milliseconds. */
const grain = 8;

describe("deadlines", () => {
  it("expire once, never early, late by less than a bucket", async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const random = new SeededRandom();
    const late: number[] = [];
    for (let n = 0; n < 500; n++) {
      const at = Math.floor(random.next() * 1_000);
      deadlines.add({ expire: () => late.push(clock.monotonic() - at) }, at);
    }
    for (let passed = 0; passed < 1_100; passed += 10) await clock.advance(10);
    assert.equal(late.length, 500);
    assert.ok(Math.min(...late) >= 0, `early by ${-Math.min(...late)}`);
    assert.ok(Math.max(...late) <= grain, `late by ${Math.max(...late)}`);
    assert.equal(clock.pending, 0);
  });

  it("set one timer for all, and keep none when closed", async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let expired = 0;
    const expire = (): void => void expired++;
    for (let n = 1; n <= 100; n++) deadlines.add({ expire }, n * 50);
    assert.equal(clock.pending, 1);
    deadlines.close();
    assert.equal(clock.pending, 0);
    await clock.advance(10_000);
    assert.equal(expired, 0);
  });

  it("set no further timer while items of the same time come and go, and none is missed", async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let expired = 0;
    let timers = 0;
    const { timer } = clock;
    clock.timer = (...args) => {
      timers += 1;
      return timer.apply(clock, args);
    };
    for (let n = 0; n < 100; n++) {
      const item = { expire: () => void expired++ };
      deadlines.remove(item, deadlines.add(item, 1_000 + n));
    }
    assert.equal(timers, 1);
    deadlines.add({ expire: () => void expired++ }, 1_000);
    deadlines.add({ expire: () => void expired++ }, 1_090);
    await clock.advance(1_100);
    assert.equal(expired, 2);
    assert.equal(clock.pending, 0);
  });

  it("do not expire what was removed", async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const expired: string[] = [];
    const first = { expire: () => void expired.push("first") };
    const second = { expire: () => void expired.push("second") };
    const bucket = deadlines.add(first, 100);
    deadlines.add(second, 200);
    deadlines.remove(first, bucket);
    await clock.advance(1_000);
    assert.deepEqual(expired, ["second"]);
  });

  it("take a shorter one after a longer one", async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const expired: number[] = [];
    for (const at of [1_000, 100]) deadlines.add({ expire: () => expired.push(at) }, at);
    await clock.advance(100 + grain);
    assert.deepEqual(expired, [100]);
    await clock.advance(1_000);
    assert.deepEqual(expired, [100, 1_000]);
  });

  it("let an expiring one add another", async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let count = 0;
    const again = {
      expire(): void {
        count += 1;
        if (count < 5) deadlines.add(again, clock.monotonic() + 10);
      },
    };
    deadlines.add(again, 10);
    await clock.advance(200);
    assert.equal(count, 5);
    assert.equal(clock.pending, 0);
  });
});
