import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, type Hooks, type NodeContext } from "@roost/edge";
import { FakeClock } from "@roost/edge/testing";
import type { LifecycleHook } from "../../../src/hooks.ts";
import { runLifecycleHook, tryLifecycleHook } from "../../../src/node/lifecycle_hooks.ts";
import { never, RecordingLogger } from "../identity/support.ts";
import { peerId } from "../session/support.ts";
import { gate } from "./support.ts";

function setUp(observers: readonly Hooks[], timeoutMs = 1_000) {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const context = { selfId: peerId(1), log } as unknown as NodeContext;
  const bounds = { clock, timeoutMs, signal: never };
  const run = (name: LifecycleHook = "onStart") =>
    runLifecycleHook(name, observers, context, bounds);
  const attempt = (name: LifecycleHook) => tryLifecycleHook(name, observers, context, bounds);
  return { clock, log, run, attempt };
}

/** An observer whose onStart ends with `thrown`. */
const throwing = (thrown: unknown): Hooks => ({ onStart: () => Promise.reject(thrown) });
const calm: Hooks = { onStart() {} };

describe("lifecycle hooks", () => {
  it("[N-128] an ActrError comes out as it is; anything else is a crash, Internal with its text", async () => {
    const refused = new ActrError("not_found", "no such table");
    await assert.rejects(setUp([throwing(refused)]).run(), (error) => error === refused);
    const cause = new Error("startup panic");
    await assert.rejects(setUp([throwing(cause)]).run(), {
      code: "internal",
      message: "onStart crashed: startup panic",
      cause,
    });
    const synchronous: Hooks = {
      onStart() {
        throw cause;
      },
    };
    await assert.rejects(setUp([synchronous]).run(), { message: /startup panic/ });
  });

  it("[N-136] a text that was thrown is kept, another value is only named", async () => {
    const messageOf = (thrown: unknown) =>
      setUp([throwing(thrown)])
        .run()
        .then(
          () => "",
          (error: ActrError) => error.message,
        );
    assert.equal(await messageOf("plain words"), "onStart crashed: plain words");
    assert.equal(await messageOf({ a: 1 }), "onStart crashed: it threw a value of type object");
    assert.equal(await messageOf(7), "onStart crashed: it threw a value of type number");
  });

  it("[N-135] of two observers: both fine is fine, one error is that error, two are one Internal", async () => {
    const [one, other] = [new ActrError("not_found", "one"), new ActrError("overloaded", "other")];
    await setUp([calm, calm]).run();
    await assert.rejects(setUp([throwing(one), calm]).run(), (error) => error === one);
    await assert.rejects(setUp([calm, throwing(other)]).run(), (error) => error === other);
    await assert.rejects(setUp([throwing(one), throwing(other)]).run(), {
      code: "internal",
      message: "onStart failed in 2 observers: one; other",
    });
  });

  it("run side by side, and all are waited for", async () => {
    const told: string[] = [];
    const doors = [gate(), gate()];
    const observers = doors.map(({ promise }, n) => ({
      async onStart() {
        told.push(`begin ${n}`);
        await promise;
        told.push(`end ${n}`);
      },
    }));
    const { clock, run } = setUp(observers);
    const running = run().then(() => told.push("done"));
    await clock.settle();
    assert.deepEqual(told, ["begin 0", "begin 1"]);
    doors[1]?.open();
    await clock.settle();
    assert.deepEqual(told.slice(2), ["end 1"]);
    doors[0]?.open();
    await running;
    assert.deepEqual(told.slice(3), ["end 0", "done"]);
    assert.equal(clock.pending, 0);
  });

  it("have a time each; who takes longer does not take that of others", async () => {
    const told: string[] = [];
    const slow: Hooks = { onStart: () => new Promise(() => {}) };
    const quick: Hooks = { onStart: () => void told.push("quick") };
    const { clock, run } = setUp([slow, quick], 500);
    const failed = assert.rejects(run(), { code: "timed_out", message: /onStart.*500 ms/ });
    await clock.advance(500);
    await failed;
    assert.deepEqual(told, ["quick"]);
    assert.equal(clock.pending, 0);
  });

  it("are logged at info, with or without an observer; a failure that changes nothing is a warning", async () => {
    const { log, run } = setUp([]);
    for (const name of ["onStart", "onReady", "onStop"] as const) await run(name);
    assert.deepEqual(
      log.records.map(({ level, event }) => [level, event]),
      [
        ["info", "node.start"],
        ["info", "node.ready"],
        ["info", "node.stop"],
      ],
    );
    const failing = setUp([{ onStop: () => Promise.reject(new Error("late")) }]);
    await failing.attempt("onStop");
    assert.deepEqual(failing.log.levels("hook.failed"), ["warn"]);
  });
});
