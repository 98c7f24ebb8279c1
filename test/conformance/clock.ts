import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "../../src/ports/clock.ts";

/** A clock under test and the way to let its time go by. */
export interface ClockFixture extends AsyncDisposable {
  readonly clock: Clock;
  /** Lets at least `ms` milliseconds of the clock's time pass. */
  pass(ms: number): Promise<void>;
}

const never = new AbortController().signal;

/** What every Clock must do. */
export function clockConformance(name: string, open: () => Promise<ClockFixture>): void {
  describe(`clock: ${name}`, () => {
    it("tells wall time in Unix milliseconds and monotonic time that does not go back", async () => {
      await using fixture = await open();
      const { clock } = fixture;
      assert.ok(clock.now() > Date.UTC(2020, 0));
      const [wall, monotonic] = [clock.now(), clock.monotonic()];
      await fixture.pass(20);
      assert.ok(clock.now() - wall >= 19);
      assert.ok(clock.monotonic() - monotonic >= 19);
    });

    it("sleeps for the time asked and not less", async () => {
      await using fixture = await open();
      const start = fixture.clock.monotonic();
      const slept = fixture.clock
        .sleep(15, { signal: never })
        .then(() => fixture.clock.monotonic());
      await fixture.pass(40);
      assert.ok((await slept) - start >= 15);
    });

    it("ends an aborted sleep with the signal's reason and leaves no listener work behind", async () => {
      await using fixture = await open();
      const abort = new AbortController();
      const slept = fixture.clock.sleep(1_000_000, { signal: abort.signal });
      abort.abort(new Error("enough"));
      await assert.rejects(slept, /enough/);
      await assert.rejects(fixture.clock.sleep(1, { signal: abort.signal }), /enough/);
    });

    it("fires timers in order of their time, with now() at or past it", async () => {
      await using fixture = await open();
      const { clock } = fixture;
      const start = clock.now();
      // Far enough apart for a process that is held back while it sets them.
      const fired: number[] = [];
      for (const after of [300, 100, 200]) {
        clock.timer(start + after, () => {
          assert.ok(clock.now() >= start + after);
          fired.push(after);
        });
      }
      await fixture.pass(600);
      assert.deepEqual(fired, [100, 200, 300]);
    });

    it("does not fire a cancelled timer; cancelling twice or after firing is harmless", async () => {
      await using fixture = await open();
      const { clock } = fixture;
      let fired = 0;
      const cancelled = clock.timer(clock.now() + 10, () => fired++);
      const kept = clock.timer(clock.now() + 10, () => fired++);
      cancelled.cancel();
      cancelled.cancel();
      await fixture.pass(40);
      kept.cancel();
      assert.equal(fired, 1);
    });

    it("fires a timer of the past on a later turn, never inside the call", async () => {
      await using fixture = await open();
      let fired = false;
      fixture.clock.timer(fixture.clock.now() - 5_000, () => {
        fired = true;
      });
      assert.equal(fired, false);
      await fixture.pass(20);
      assert.equal(fired, true);
    });

    it("takes times beyond 2^31 ms without firing early", async () => {
      await using fixture = await open();
      let fired = false;
      const timer = fixture.clock.timer(fixture.clock.now() + 2 ** 31 + 5, () => {
        fired = true;
      });
      const abort = new AbortController();
      const slept = fixture.clock.sleep(2 ** 32, { signal: abort.signal });
      await fixture.pass(20);
      assert.equal(fired, false);
      timer.cancel();
      abort.abort(new Error("stop"));
      await assert.rejects(slept, /stop/);
    });

    it("defers to after the microtasks of this turn, first in, first out", async () => {
      await using fixture = await open();
      const seen: string[] = [];
      await new Promise<void>((resolve) => {
        fixture.clock.defer(() => seen.push("first"));
        fixture.clock.defer(() => {
          seen.push("second");
          resolve();
        });
        void Promise.resolve().then(() => seen.push("microtask"));
        seen.push("now");
      });
      assert.deepEqual(seen, ["now", "microtask", "first", "second"]);
    });
  });
}
