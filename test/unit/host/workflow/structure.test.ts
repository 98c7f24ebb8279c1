import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../../adapters/memory/fake_clock.ts";
import { type AnyActor, actor } from "../../../../src/actor.ts";
import { ActrError } from "../../../../src/errors.ts";
import type { WorkflowContext } from "../../../../src/workflow.ts";
import { Rig } from "../support.ts";
import { again, historyOf, states } from "./support.ts";

type Run = (w: WorkflowContext) => unknown;

/** An actor that notes what its steps do. */
function noting(workflow: Run, notes: string[] = []): { readonly a: AnyActor } {
  const a = actor({
    options: { sleepAfterMs: 1000 },
    actions: { notes: () => [...notes] },
    run: { workflow: workflow as () => unknown },
    onError: (_, error) => void notes.push(`${error.code}: ${error.message}`),
  });
  return { a };
}

/** A rig that has run the workflow for a while. */
async function begun(actors: { readonly a: AnyActor }, ms = 100): Promise<Rig> {
  const rig = new Rig(actors);
  await rig.act("a", "k", "notes");
  await rig.clock.pass(ms);
  return rig;
}

/** Another version of the code over what the first left. */
async function changed(rig: Rig, actors: { readonly a: AnyActor }, ms = 100): Promise<Rig> {
  await rig.close();
  const next = again(rig, actors);
  await next.act("a", "k", "notes");
  await next.clock.pass(ms);
  return next;
}

const first: Run = async (w) => {
  await w.step("one", () => 1);
  await w.step("two", () => 2);
  await w.sleep("pause", 600_000);
};

describe("the structure of a workflow", () => {
  it("that does not fit the history stops it, with both names, until code comes that fits", async () => {
    const notes: string[] = [];
    let rig = await begun(noting(first));
    rig = await changed(
      rig,
      noting(async (w) => {
        await w.step("one", () => 1);
        await w.step("other", () => 2).catch(() => notes.push("swallowed"));
      }, notes),
    );
    assert.equal(notes.length, 1);
    assert.match(
      notes[0] ?? "",
      /^workflow.diverged: .*step "two" where the code has step "other"/,
    );
    const { state, error } = await historyOf(rig, "a", "k");
    assert.deepEqual([state, error?.code], ["failed", "workflow.diverged"]);
    // Tried again every five minutes, by an alarm.
    await rig.clock.pass(10_000);
    assert.equal(rig.host.awake, 0);
    await rig.clock.pass(295_000);
    assert.equal(notes.length, 2);
    rig = await changed(rig, noting(first));
    assert.deepEqual(states(await historyOf(rig, "a", "k")), [
      "one completed",
      "two completed",
      "pause sleeping",
    ]);
    await rig.clock.pass(600_000);
    assert.equal((await historyOf(rig, "a", "k")).state, "completed");
    await rig.close();
  });

  it("may lose entries that are marked as removed, rename some, and tell versions apart", async () => {
    const ran: string[] = [];
    let rig = await begun(noting(first));
    const second: Run = async (w) => {
      await w.step("uno", { was: ["one"] }, () => ran.push("uno"));
      await w.removed("two", "step");
      if ((await w.version("v", 2)) === 2) await w.step("new", () => ran.push("new"));
      await w.sleep("pause", 1);
      if ((await w.version("end", 3)) === 3) await w.step("last", () => ran.push("last"));
    };
    rig = await changed(rig, noting(second));
    assert.deepEqual(states(await historyOf(rig, "a", "k")), [
      "one completed",
      "two completed",
      "pause sleeping",
    ]);
    assert.deepEqual((await historyOf(rig, "a", "k")).entries[1]?.detail, {
      kind: "removed",
      originalKind: "step",
    });
    await rig.clock.pass(600_000);
    const { state, entries } = await historyOf(rig, "a", "k");
    assert.equal(state, "completed");
    assert.deepEqual(ran, ["last"]);
    assert.deepEqual(entries[3]?.detail, { kind: "version_check", resolved: 3, latest: 3 });
    await rig.close();
    ran.length = 0;
    rig = await begun(noting(second));
    assert.deepEqual(ran, ["uno", "new", "last"]);
    await rig.close();
  });

  it("that cannot be told apart stops it: two of one name, or entries begun before others have ended", async () => {
    const cases: (readonly [Run, RegExp])[] = [
      [
        async (w) => [await w.step("s", () => 1), await w.step("s", () => 1)],
        /two entries are named "s"/,
      ],
      [
        async (w) => Promise.all([w.step("a", () => 1), w.step("b", () => 1)]),
        /"b" is begun before "a"/,
      ],
      [
        async (w) => w.loop("l", async () => ({ done: await w.step("in", () => 1) })),
        /"in" is begun before "l"/,
      ],
      [async (w) => w.step("", () => 1), /1 to 128 characters/],
    ];
    for (const [run, text] of cases) {
      const notes: string[] = [];
      const rig = await begun(noting(run, notes));
      assert.match(notes[0] ?? "", text);
      await rig.close();
    }
  });

  it("joins branches: all run to their ends, and the first that failed is told of", async () => {
    const order: string[] = [];
    let outcome: unknown;
    const rig = await begun(
      noting(async (w) => {
        outcome = await w.join("j", {
          a: async (b) => {
            await b.sleep("pause", 50);
            return await b.step("s", () => order.push("a"));
          },
          b: async (b) => await b.step("s", () => order.push("b")),
        });
        await w.join("fails", {
          a: async (b) => {
            await b.sleep("pause", 20);
            await b.step("s", { maxRetries: 0 }, () => {
              throw new Error("a fails");
            });
          },
          b: async () => {
            throw new Error("b fails");
          },
        });
      }),
      200,
    );
    assert.deepEqual(order, ["b", "a"]);
    assert.deepEqual(outcome, { a: 2, b: 1 });
    const { error, entries } = await historyOf(rig, "a", "k");
    assert.equal(error?.message, "a fails");
    const fails = entries.find(({ location }) => location[0] === "fails");
    assert.deepEqual(fails?.state, "failed");
    assert.ok(fails?.detail.kind === "join");
    assert.deepEqual(
      fails.detail.branches.map(({ name, state }) => `${name} ${state}`),
      ["b failed", "a failed"],
    );
    assert.deepEqual(entries[1]?.location, ["j", "a", "pause"]);
    await rig.close();
  });

  it("races branches: the first that succeeds ends the others, whatever their code still does", async () => {
    const signals: boolean[] = [];
    const clock = new FakeClock();
    let outcome: unknown;
    const rig = new Rig(
      noting(async (w) => {
        outcome = await w.race("r", {
          slow: async (b) =>
            await b.step("s", { turn: "interleaved" }, async (c) => {
              await clock.sleep(80, { signal: new AbortController().signal });
              signals.push(c.signal.aborted);
            }),
          broken: async () => {
            throw new Error("no");
          },
          fast: async (b) => await b.sleep("pause", 30),
        });
      }),
      { clock },
    );
    await rig.act("a", "k", "notes");
    await rig.clock.pass(200);
    assert.deepEqual(outcome, { winner: "fast", value: undefined });
    assert.deepEqual(signals, [true]);
    const history = await historyOf(rig, "a", "k");
    assert.equal(history.state, "completed");
    assert.deepEqual(states(history), [
      "r completed",
      "r/slow/s cancelled",
      "r/fast/pause completed",
    ]);
    assert.equal(
      history.entries[0]?.detail.kind === "race" && history.entries[0].detail.winner,
      "fast",
    );
    await rig.close();
  });

  it("keeps the last iterations of a loop, twenty by default, and its state", async () => {
    let rig: Rig | undefined;
    const run: Run = async (w) => {
      const loop = async (each: WorkflowContext, n: number) => {
        await each.step("s", () => n);
        if (n === 50) await each.sleep("pause", 5000);
        return n < 60 ? { next: n + 1 } : { done: n };
      };
      await w.loop("l", { state: 0 }, loop);
      await w.loop("short", { state: 0, keep: 1 }, async (_, n) =>
        n < 5 ? { next: n + 1 } : { done: n },
      );
    };
    rig = await begun(noting(run), 2000);
    assert.equal(rig.host.awake, 0);
    let { entries } = await historyOf(rig, "a", "k");
    assert.equal(entries.length, 1 + 20 + 2);
    assert.deepEqual(entries.at(-1)?.location, [{ loop: "l", iteration: 50 }, "pause"]);
    rig = await changed(rig, noting(run), 10_000);
    const history = await historyOf(rig, "a", "k");
    entries = history.entries;
    assert.equal(history.state, "completed");
    const detail = entries[0]?.detail;
    assert.ok(detail?.kind === "loop");
    assert.deepEqual([detail.iteration, detail.state, detail.output], [60, 60, 60]);
    await rig.close();
  });

  it("undoes what came after its last checkpoint when it fails, the last first, each once, and tries what fails again", async () => {
    const undone: string[] = [];
    let tries = 0;
    const rig = await begun(
      noting(async (w) => {
        const undo = (_: unknown, output: string): void => void undone.push(output);
        await w.step("before", { rollback: undo }, () => "before");
        await w.rollbackCheckpoint("point");
        await w.step("one", { rollback: undo }, () => "one");
        await w.step("plain", () => "plain");
        await w.loop("l", { state: 0 }, async (each, n) => {
          await each.step("in", { rollback: undo }, () => `in ${n}`);
          return n < 1 ? { next: n + 1 } : { done: n };
        });
        await w.step(
          "hard",
          {
            rollback: () => {
              tries += 1;
              if (tries < 3) throw new Error("not yet");
              undone.push("hard");
            },
          },
          () => "hard",
        );
        await w.step("never", { maxRetries: 1, rollback: () => undone.push("stuck") }, () => "x");
        throw new Error("the end");
      }),
      5000,
    );
    assert.deepEqual(undone, ["stuck", "hard", "in 1", "in 0", "one"]);
    const history = await historyOf(rig, "a", "k");
    assert.deepEqual([history.state, history.error?.message], ["failed", "the end"]);
    const of = (name: string) => history.entries.find(({ location }) => location.at(-1) === name);
    assert.equal(of("one")?.state, "cancelled");
    assert.equal(typeof of("one")?.rolledBackAt, "number");
    assert.equal(of("before")?.state, "completed");
    await rig.close();
  });

  it("undoes after a crash, too, what finished branches did, those that lost and earlier iterations", async () => {
    const undone: string[] = [];
    let isFirst = true;
    const undo = async (name: string): Promise<void> => {
      // The process ends while the first is being undone.
      if (isFirst) await new Promise(() => {});
      undone.push(name);
    };
    const actors = noting(async (w) => {
      const step = async (at: WorkflowContext, name: string): Promise<void> => {
        await at.step(name, { rollback: async () => await undo(name) }, () => {});
      };
      await w.join("join", {
        a: async (b) => {
          await step(b, "a1");
          await b.sleep("pause", 10);
          await step(b, "a2");
        },
        b: async (b) => await step(b, "b1"),
      });
      await w.loop("loop", { state: 0, keep: 1 }, async (each, n) => {
        await step(each, `l${n}`);
        await each.sleep("pause", 10);
        return n < 3 ? { next: n + 1 } : { done: n };
      });
      await w.race("race", {
        slow: async (b) => {
          await step(b, "lost");
          await b.join("inner", { only: async (c) => await step(c, "lost within") });
          await b.loop("late", { state: 0 }, async (each, n) => {
            await step(each, `late ${n}`);
            await each.sleep("long", n === 0 ? 1 : 86_400_000);
            return { next: n + 1 };
          });
        },
        fast: async (b) => {
          await b.sleep("pause", 20);
          await step(b, "won");
        },
      });
      throw new Error("the end");
    });
    let rig = await begun(actors, 500);
    assert.equal((await historyOf(rig, "a", "k")).state, "rolling_back");
    rig.host.abandon(new ActrError("stopping", "killed"));
    isFirst = false;
    rig = again(rig, actors);
    await rig.clock.pass(1000);
    const branches = ["won", "late 1", "late 0", "lost within", "lost"];
    assert.deepEqual(undone.slice(0, 10), [...branches, "l3", "l2", "l1", "l0", "a2"]);
    assert.deepEqual(undone.slice(10).sort(), ["a1", "b1"]);
    assert.equal((await historyOf(rig, "a", "k")).state, "failed");
    await rig.close();
  });

  it("that does not fit while steps are undone stops that, until code comes that fits", async () => {
    const undone: string[] = [];
    const notes: string[] = [];
    const version = (name: string, isStuck: boolean): { readonly a: AnyActor } =>
      noting(async (w) => {
        for (const each of ["one", name]) {
          const rollback = async (): Promise<void> => {
            if (isStuck) await new Promise(() => {});
            undone.push(each);
          };
          await w.step(each, { rollback }, () => {});
        }
        throw new Error("the end");
      }, notes);
    let rig = await begun(version("two", true));
    rig.host.abandon(new ActrError("stopping", "killed"));
    rig = again(rig, version("other", false));
    await rig.clock.pass(100);
    assert.match(notes.at(-1) ?? "", /^workflow.diverged/);
    assert.deepEqual(undone, []);
    rig = await changed(rig, version("two", false));
    assert.deepEqual(undone, ["two", "one"]);
    const { state, error } = await historyOf(rig, "a", "k");
    assert.deepEqual([state, error?.message], ["failed", "the end"]);
    await rig.close();
  });

  it("keeps a checkpoint that its loop has forgotten", async () => {
    const undone: string[] = [];
    const rollback = (_: unknown, output: string): void => void undone.push(output);
    const rig = await begun(
      noting(async (w) => {
        await w.step("before", { rollback }, () => "before");
        await w.loop("l", { state: 0, keep: 1 }, async (each, n) => {
          if (n === 0) await each.rollbackCheckpoint("point");
          await each.step("s", () => n);
          return n < 5 ? { next: n + 1 } : { done: n };
        });
        await w.step("after", { rollback }, () => "after");
        throw new Error("the end");
      }),
    );
    assert.deepEqual(undone, ["after"]);
    await rig.close();
  });
});
