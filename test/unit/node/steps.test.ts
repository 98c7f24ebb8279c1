import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "@roost/edge/testing";
import { runStart, runStop } from "../../../src/node/steps.ts";
import { UndoStack } from "../../../src/node/undo_stack.ts";
import { WayOn } from "../../../src/node/way_on.ts";
import { deferred, never, RecordingLogger } from "../identity/support.ts";

function setUp(timeoutMs = 1_000) {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const done: string[] = [];
  const note = (name: string) => () => void done.push(name);
  const undo = new UndoStack({ clock, log }, { timeoutMs });
  return { clock, log, done, note, undo };
}

const forever = (): Promise<void> => new Promise(() => {});

describe("undoing", () => {
  it("goes from the newest to the oldest, once, whatever fails", async () => {
    const { clock, log, done, note, undo } = setUp();
    undo.push("first", note("first"));
    undo.push("broken", () => {
      throw new Error("at once");
    });
    undo.push("rejecting", () => Promise.reject(new Error("later")));
    undo.push("last", note("last"));
    await undo.unwind();
    await undo.unwind();
    assert.deepEqual(done, ["last", "first"]);
    const failed = log.records.map(({ event, attributes }) => [event, attributes["step"]]);
    assert.deepEqual(failed, [
      ["node.undo_failed", "rejecting"],
      ["node.undo_failed", "broken"],
    ]);
    assert.equal(clock.pending, 0);
  });

  it("has one deadline: beyond it the rest is begun all the same, but not waited for", async () => {
    const { clock, done, note, undo } = setUp(1_000);
    undo.push("oldest", note("oldest"));
    undo.push("hanging too", forever);
    undo.push("hanging", forever);
    undo.push("newest", note("newest"));
    const unwound = undo.unwind().then(note("unwound"));
    await clock.advance(999);
    assert.deepEqual(done, ["newest"]);
    await clock.advance(1);
    await unwound;
    assert.deepEqual(done, ["newest", "oldest", "unwound"]);
    assert.equal(clock.pending, 0);
  });

  it("ends with the deadline of who asks, when that comes first", async () => {
    const { clock, undo } = setUp(1_000);
    undo.push("hanging", forever);
    const outer = new AbortController();
    const unwound = undo.unwind(outer.signal);
    outer.abort(new Error("time is up"));
    await unwound;
    assert.equal(clock.pending, 0);
  });
});

describe("steps of a start", () => {
  it("run in order; one that fails half-way is undone like those before it", async () => {
    const { done, note, undo } = setUp();
    const steps = [
      { name: "a", run: note("a"), undo: note("undo a") },
      { name: "b", run: () => Promise.reject(new Error("no")), undo: note("undo b") },
      { name: "c", run: note("c"), undo: note("undo c") },
    ];
    await assert.rejects(runStart(steps, undo, never), /no/);
    await undo.unwind();
    assert.deepEqual(done, ["a", "undo b", "undo a"]);
  });

  it("begin no more once the signal is aborted", async () => {
    const { done, note, undo } = setUp();
    const abort = new AbortController();
    const steps = [
      { name: "a", run: () => abort.abort(new Error("enough")), undo: note("undo a") },
      { name: "b", run: note("b"), undo: note("undo b") },
    ];
    await assert.rejects(runStart(steps, undo, abort.signal), /enough/);
    await undo.unwind();
    assert.deepEqual(done, ["undo a"]);
  });
});

describe("steps of a stop", () => {
  it("each have time left, however long the ones before them take", async () => {
    const { clock, log } = setUp();
    const begun: [string, number][] = [];
    const step = (name: string, until: number) => ({
      name,
      until,
      run: (signal: AbortSignal) => {
        begun.push([name, clock.now() - since]);
        assert.equal(signal.aborted, false);
        return forever();
      },
    });
    const since = clock.now();
    const stopped = runStop([step("a", 0.5), step("b", 0.75), step("c", 1)], {
      clock,
      log,
      timeoutMs: 1_000,
    });
    for (let passed = 0; passed < 1_000; passed += 250) await clock.advance(250);
    await stopped;
    assert.deepEqual(begun, [
      ["a", 0],
      ["b", 500],
      ["c", 750],
    ]);
    assert.equal(log.levels("node.stop_incomplete").length, 3);
    assert.equal(clock.pending, 0);
  });

  it("go on when one fails", async () => {
    const { clock, log, done, note } = setUp();
    const failing = {
      name: "failing",
      until: 0.5,
      run: () => {
        throw new Error("no");
      },
    };
    const next = { name: "next", until: 1, run: note("next") };
    await runStop([failing, next], { clock, log, timeoutMs: 1_000 });
    assert.deepEqual(done, ["next"]);
    assert.deepEqual(log.levels("node.stop_incomplete"), ["warn"]);
  });
});

describe("the way from one stage to the next", () => {
  it("is taken once", async () => {
    const way = new WayOn("start");
    assert.equal(way.used, false);
    assert.equal(await way.take(undefined, async () => 1), 1);
    assert.equal(way.used, true);
    const again = way.take(undefined, async () => 2);
    await assert.rejects(again, { name: "TypeError", message: /start\(\) was called/ });
  });

  it("that is under way ends when the stage is given up; who has arrived stays", async () => {
    const { done, note } = setUp();
    const under = new WayOn("start");
    const ended = deferred<void>();
    const taken = under.take(undefined, async (signal) => {
      signal.addEventListener("abort", () => ended.reject(signal.reason));
      await ended.promise;
    });
    const failed = assert.rejects(taken, { code: "stopping" });
    await under.giveUp(async () => void note("undone")());
    await failed;
    assert.deepEqual(done, [], "who takes the way undoes it");
    const free = new WayOn("start");
    await free.giveUp(async () => void note("undone")());
    assert.deepEqual(done, ["undone"]);
    await assert.rejects(
      free.take(undefined, async () => 1),
      { message: /given up/ },
    );
  });

  it("ends with the signal of who takes it", async () => {
    const abort = new AbortController();
    const reason = new Error("changed my mind");
    const taken = new WayOn("start").take(abort.signal, async (signal) => {
      abort.abort(reason);
      signal.throwIfAborted();
    });
    await assert.rejects(taken, (error) => error === reason);
  });
});
