import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AnyActor, actor } from "../../../../src/actor.ts";
import { ActrError } from "../../../../src/errors.ts";
import type { StepPolicy, WorkflowContext } from "../../../../src/workflow.ts";
import { HeldStore } from "../held_store.ts";
import { Rig } from "../support.ts";
import { again, historyOf, states, workflowOf } from "./support.ts";

/** An actor with a log as its state, whose workflow is `run`. */
function logging(run: (w: never) => unknown, options = {}): { readonly a: AnyActor } {
  const a = actor({
    state: () => ({ log: [] as string[] }),
    options,
    actions: {
      log: (c) => [...c.state.log],
      add: (c, text: string) => void c.state.log.push(text),
      peek: (c) => c.state.log.length,
    },
    actionOptions: { peek: { turn: "interleaved" }, add: { turn: "interleaved" } },
    run: { workflow: run as () => unknown },
  });
  return { a };
}

/** An actor whose workflow is one step that fails as `fail` says, with the number of the try. */
function failing(
  fail: (attempt: number) => unknown,
  options: StepPolicy = {},
): { readonly tries: number[]; readonly actors: { readonly a: AnyActor } } {
  const tries: number[] = [];
  const actors = logging(async (w: WorkflowContext) => {
    await w.step("s", options, async (c) => {
      tries.push(c.attempt);
      await fail(c.attempt);
    });
  });
  return { tries, actors };
}

describe("steps of a workflow", () => {
  it("run once each, in order, their results kept; the workflow ends with what it returns", async () => {
    const ran: string[] = [];
    const a = actor({
      state: () => ({ sum: 0 }),
      actions: { sum: (c) => c.state.sum },
      run: {
        async workflow(w) {
          const one = await w.step("one", (c) => {
            ran.push("one");
            c.state.sum += 1;
            return 1;
          });
          const two = await w.step("two", async (c) => {
            ran.push("two");
            await Promise.resolve();
            c.state.sum += one + 1;
            return { two: one + 1 };
          });
          return two.two;
        },
      },
    });
    const rig = new Rig({ a });
    await rig.act("a", "k", "sum");
    await rig.clock.settle();
    assert.equal(await rig.act("a", "k", "sum"), 3);
    const history = await historyOf(rig, "a", "k");
    assert.equal(history.state, "completed");
    assert.equal(history.output, 2);
    assert.deepEqual(states(history), ["one completed", "two completed"]);
    await rig.close();
    const next = again(rig, { a });
    assert.equal(await next.act("a", "k", "sum"), 3);
    assert.deepEqual(ran, ["one", "two"]);
    await next.close();
  });

  it("[HD-9] change the actor in the commit of their result, of which nothing is seen before", async () => {
    const store = new HeldStore();
    let release: () => void = () => {};
    const actors = logging(async (w: WorkflowContext) => {
      await w.step("s", async (c) => {
        (c.state as { log: string[] }).log.push("done");
        c.kv.put("key", "value");
        c.schedule.after(60_000, "peek");
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return "result";
      });
    });
    const rig = new Rig(actors, { store });
    assert.equal(await rig.act("a", "k", "peek"), 0);
    store.commits.length = 0;
    release();
    await rig.clock.settle();
    assert.deepEqual(await rig.act("a", "k", "log"), ["done"]);
    const commit = store.commits.find((changes) =>
      changes.some((change) => "space" in change && change.space.startsWith("actor-kv:")),
    );
    const spaces = commit?.map((change) => "space" in change && change.space.replace(/:.*/, ""));
    for (const space of ["actor", "actor-kv", "actor-wf", "alarms"]) {
      assert.ok(spaces?.includes(space), space);
    }
    assert.equal((await historyOf(rig, "a", "k")).state, "completed");
    await rig.close();
  });

  it("are tried again after 100 ms, doubling, three times; what a try changed before it failed is undone", async () => {
    const at: number[] = [];
    const actors = logging(async (w: WorkflowContext) => {
      await w.step("s", (c) => {
        at.push(w.log === undefined ? 0 : rig.clock.monotonic());
        (c.state as { log: string[] }).log.push("half");
        c.kv.put("half", 1);
        throw new Error("no");
      });
    });
    const rig = new Rig(actors);
    await rig.act("a", "k", "peek");
    await rig.clock.advance(1000);
    assert.deepEqual(at, [0, 100, 300, 700]);
    const history = await historyOf(rig, "a", "k");
    assert.equal(history.state, "failed");
    assert.deepEqual(history.error, { code: "internal", message: "no" });
    assert.deepEqual(states(history), ["s failed"]);
    assert.deepEqual(await rig.act("a", "k", "log"), []);
    const { id } = await rig.instance("a", "k");
    assert.deepEqual(await rig.store.records(`actor-kv:${id}`, "", 10), []);
    await rig.close();
  });

  it("pause 30 s between tries at most, asleep; an error of the caller's is final", async () => {
    const { tries, actors } = failing(
      (attempt) => {
        if (attempt < 12) throw new ActrError("unavailable", "not yet");
        throw new ActrError("user.no", "never");
      },
      { maxRetries: 50 },
    );
    const rig = new Rig(actors);
    await rig.act("a", "k", "peek");
    await rig.clock.pass(60_000);
    const { entries } = await historyOf(rig, "a", "k");
    assert.equal(entries[0]?.state, "pending");
    assert.ok((entries[0]?.wakesAt ?? 0) <= rig.clock.now() + 30_000);
    await rig.clock.pass(200_000);
    assert.deepEqual(tries, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert.equal((await historyOf(rig, "a", "k")).error?.code, "user.no");
    await rig.close();
  });

  it("have 30 s; more is fatal, unless the step says otherwise", async () => {
    const hang = (): Promise<never> => new Promise(() => {});
    for (const retryOnTimeout of [false, true]) {
      const { tries, actors } = failing((n) => (n === 1 ? hang() : undefined), { retryOnTimeout });
      const rig = new Rig(actors);
      await rig.act("a", "k", "peek");
      await rig.clock.advance(29_999);
      assert.equal((await historyOf(rig, "a", "k")).state, "running");
      await rig.clock.advance(200);
      const { state, error } = await historyOf(rig, "a", "k");
      assert.deepEqual(tries, retryOnTimeout ? [1, 2] : [1]);
      assert.equal(state, retryOnTimeout ? "completed" : "failed");
      assert.equal(error?.code, retryOnTimeout ? undefined : "workflow.step_timed_out");
      await rig.close();
    }
  });

  it("change nothing after their time: what their code still does is refused", async () => {
    const late: string[] = [];
    const actors = logging(async (w: WorkflowContext) => {
      await w.step("s", { timeoutMs: 10 }, async (c) => {
        const { log } = c.state as { log: string[] };
        await rig.clock.sleep(50, { signal: new AbortController().signal });
        for (const act of [() => log.push("late"), () => c.state, () => c.kv.put("late", 1)]) {
          try {
            act();
          } catch (error) {
            late.push(ActrError.from(error).code);
          }
        }
      });
    });
    const rig = new Rig(actors);
    await rig.act("a", "k", "peek");
    await rig.clock.advance(100);
    assert.deepEqual(late, ["actor.aborted", "actor.aborted", "actor.aborted"]);
    assert.deepEqual(await rig.act("a", "k", "log"), []);
    await rig.close();
  });

  it("go on alone as an action does, or beside the actions, changing nothing", async () => {
    const ends: (() => void)[] = [];
    const actors = logging(async (w: WorkflowContext) => {
      const hold = (): Promise<void> => new Promise<void>((resolve) => ends.push(resolve));
      await w.step("beside", { turn: "interleaved" }, async (c) => {
        await hold();
        const state = c.state as { log: string[] };
        state.log.push("no");
      });
    });
    const rig = new Rig(actors);
    assert.deepEqual(await rig.act("a", "k", "log"), []);
    ends[0]?.();
    await rig.clock.settle();
    assert.equal((await historyOf(rig, "a", "k")).error?.code, "actor.invalid_operation");
    await rig.close();

    const alone = logging(async (w: WorkflowContext) => {
      await w.step("alone", () => new Promise<void>((resolve) => ends.push(resolve)));
    });
    const other = new Rig(alone);
    await other.act("a", "k", "peek");
    let answered = false;
    void other.act("a", "k", "log").then(() => {
      answered = true;
    });
    await other.clock.settle();
    assert.equal(answered, false);
    ends[1]?.();
    await other.clock.settle();
    assert.equal(answered, true);
    await other.close();
  });

  it("keep what others changed meanwhile; of the same field they are tried again", async () => {
    let tries = 0;
    const actors = logging(async (w: WorkflowContext) => {
      await w.step("s", async (c) => {
        tries += 1;
        (c.state as { log: string[] }).log.push("step");
        if (tries > 1) return;
        await rig.clock.sleep(50, { signal: c.signal });
      });
    });
    const rig = new Rig(actors);
    await rig.act("a", "k", "add", "beside");
    await rig.clock.advance(500);
    assert.deepEqual(await rig.act("a", "k", "log"), ["beside", "step"]);
    assert.equal(tries, 2);
    await rig.close();
  });

  it("that keep ending their process fail after ten times", async () => {
    let tries = 0;
    const actors = logging(async (w: WorkflowContext) => {
      await w.step("s", () => {
        tries += 1;
        return new Promise<void>(() => {});
      });
    });
    let rig = new Rig(actors);
    await rig.act("a", "k", "peek");
    for (let i = 0; i < 12; i++) {
      await rig.clock.settle();
      rig.host.abandon(new ActrError("stopping", "killed"));
      rig = again(rig, actors);
      await rig.clock.advance(1);
    }
    assert.equal(tries, 11);
    assert.equal((await historyOf(rig, "a", "k")).error?.code, "workflow.step_interrupted");
    await rig.close();
  });

  it("begin again, under the same key and uncounted, after a stop that did not wait for them", async () => {
    const keys: string[] = [];
    const actors = logging(
      async (w: WorkflowContext) => {
        await w.step("s", async (c) => {
          keys.push(`${c.idempotencyKey} ${c.attempt}`);
          if (keys.length === 1) await rig.clock.sleep(10_000, { signal: c.signal });
        });
      },
      { sleepGraceMs: 1000 },
    );
    const rig = new Rig(actors);
    await rig.act("a", "k", "peek");
    const { id } = await rig.instance("a", "k");
    const stopped = rig.host.stop(id, "sleep");
    await rig.clock.advance(5);
    await stopped;
    await rig.clock.settle();
    assert.deepEqual(keys, [`${id}:1 1`, `${id}:1 1`]);
    assert.equal((await historyOf(rig, "a", "k")).state, "completed");
    await rig.close();
  });

  it("whose result is no data, or too much, fail; a history that is too long fails its workflow", async () => {
    const cases: (readonly [unknown, string])[] = [
      [() => {}, "actor.unsupported_value"],
      ["x".repeat(200), "workflow.too_large"],
    ];
    for (const [result, code] of cases) {
      const a = actor({
        actions: { get: () => 1 },
        run: {
          workflow: async (w) => await w.step("s", () => result),
          limits: { maxOutputBytes: 100 },
        },
      });
      const rig = new Rig({ a });
      await rig.act("a", "k", "get");
      await rig.clock.settle();
      const { entries } = await historyOf(rig, "a", "k");
      assert.equal(entries[0]?.error?.code, code);
      await rig.close();
    }
    const long = actor({
      actions: { get: () => 1 },
      run: {
        async workflow(w) {
          for (let i = 0; i < 5; i++) await w.step(`s${i}`, () => i);
        },
        limits: { maxEntries: 3 },
      },
    });
    const wide = actor({
      actions: { get: () => 1 },
      run: {
        async workflow(w) {
          await w.loop("l", async (each) => {
            await each.step("s", () => "x".repeat(300));
            return undefined;
          });
        },
        limits: { maxHistoryBytes: 5000 },
      },
    });
    const other = new Rig({ wide });
    await other.act("wide", "k", "get");
    await other.clock.advance(100);
    assert.equal((await historyOf(other, "wide", "k")).error?.code, "workflow.too_large");
    await other.close();
    const rig = new Rig({ long });
    await rig.act("long", "k", "get");
    await rig.clock.settle();
    const history = await historyOf(rig, "long", "k");
    assert.equal(history.error?.code, "workflow.too_large");
    assert.equal(history.entries.length, 3);
    await rig.close();
  });

  it("are shown while they run, and their changes are told of", async () => {
    const actors = logging(async (w: WorkflowContext) => {
      await w.step("s", () => new Promise<void>(() => {}));
    });
    const rig = new Rig(actors);
    await rig.act("a", "k", "peek");
    const history = (await workflowOf(rig, "a", "k")).history();
    assert.deepEqual(states(history), ["s running"]);
    assert.equal(history.entries[0]?.attempts, 1);
    rig.host.abandon(new ActrError("stopping", "the test ends"));
  });
});
