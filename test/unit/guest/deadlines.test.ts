import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Deadlines } from "../../../src/guest/life/deadlines.ts";
import type { Clock } from "../../../src/ports/clock.ts";

/** A clock whose time is set, and whose one timer comes when the test calls it. */
class HandClock implements Clock {
  time = 0;
  fire: (() => void) | undefined;
  /** When the timer is due. */
  dueAt: number | undefined;

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  sleep(): Promise<void> {
    return Promise.resolve();
  }

  timer(atMs: number, fn: () => void): { cancel(): void } {
    this.dueAt = atMs;
    this.fire = fn;
    return { cancel: () => void (this.fire === fn && this.#clear()) };
  }

  defer(fn: () => void): void {
    fn();
  }

  #clear(): void {
    this.fire = undefined;
    this.dueAt = undefined;
  }
}

describe("deadlines of a guest's entries", () => {
  it("[G-51] count parts of milliseconds, and a timer that comes early is set again", () => {
    const clock = new HandClock();
    const entry = { expiresAt: 1.5 };
    const late: unknown[] = [];
    const deadlines = new Deadlines(
      clock,
      () => [entry],
      (each) => late.push(each),
    );
    deadlines.watch(entry);
    assert.equal(clock.dueAt, 1.5);
    clock.time = 1.4;
    clock.fire?.();
    assert.deepEqual([late, clock.dueAt], [[], 1.5]);
    clock.time = 1.5;
    clock.fire?.();
    assert.deepEqual([late, clock.dueAt], [[entry], undefined]);
  });

  it("are watched with one timer, for the first of them", () => {
    const clock = new HandClock();
    const running = [{ expiresAt: 50 }, { expiresAt: 20 }, { expiresAt: 80 }];
    const late: unknown[] = [];
    const deadlines = new Deadlines(
      clock,
      () => running,
      (each) => late.push(each),
    );
    const due = running.map((each) => {
      deadlines.watch(each);
      return clock.dueAt;
    });
    assert.deepEqual(due, [50, 20, 20]);
    running.splice(1, 1);
    clock.time = 20;
    clock.fire?.();
    assert.deepEqual([late, clock.dueAt], [[], 50], "that one has ended");
    deadlines.clear();
    assert.equal(clock.fire, undefined);
  });
});
