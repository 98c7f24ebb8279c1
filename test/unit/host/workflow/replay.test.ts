import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AnyActor, actor } from "../../../../src/actor.ts";
import type { WorkflowContext } from "../../../../src/workflow.ts";
import { failureOf, Rig } from "../support.ts";
import { historyOf, states, workflowOf } from "./support.ts";

/** A workflow that notes what it runs, and waits a day at its end. */
function noting(ran: string[]): AnyActor {
  return actor({
    actions: { get: () => 1 },
    run: {
      async workflow(w) {
        const step = async (at: WorkflowContext, name: string): Promise<void> =>
          await at.step(name, () => void ran.push(name));
        await step(w as WorkflowContext, "one");
        await w.join("j", {
          a: async (b) => {
            await step(b as WorkflowContext, "a1");
            await step(b as WorkflowContext, "a2");
          },
          b: async (b) => {
            await b.sleep("pause", 50);
            await step(b as WorkflowContext, "b1");
          },
        });
        await w.loop("l", { state: 0 }, async (each, n) => {
          await step(each as WorkflowContext, `l${n}`);
          return n < 2 ? { next: n + 1 } : { done: n };
        });
        await w.sleep("day", 86_400_000);
      },
    },
  }) as AnyActor;
}

async function begun(ran: string[]): Promise<Rig> {
  const rig = new Rig({ a: noting(ran) });
  await rig.act("a", "k", "get");
  await rig.clock.pass(200);
  return rig;
}

async function idOf(rig: Rig, name: string): Promise<string> {
  const { entries } = await historyOf(rig, "a", "k");
  return entries.find(({ location }) => location.at(-1) === name)?.id ?? "";
}

describe("the replay of a workflow", () => {
  it("forgets an entry and all that was created after it, and goes on from there", async () => {
    const ran: string[] = [];
    const rig = await begun(ran);
    assert.deepEqual(ran, ["one", "a1", "a2", "b1", "l0", "l1", "l2"]);
    const workflow = await workflowOf(rig, "a", "k");
    const left = await workflow.replay(await idOf(rig, "b1"));
    assert.deepEqual(states(left), [
      "one completed",
      "j running",
      "j/a/a1 completed",
      "j/b/pause completed",
      "j/a/a2 completed",
    ]);
    await rig.clock.pass(200);
    assert.deepEqual(ran.slice(7), ["b1", "l0", "l1", "l2"]);
    assert.equal((await historyOf(rig, "a", "k")).state, "sleeping");
    await rig.close();
  });

  it("begins with the outermost loop where the entry is in one, and with everything where none is named", async () => {
    const ran: string[] = [];
    const rig = await begun(ran);
    const workflow = await workflowOf(rig, "a", "k");
    await workflow.replay(await idOf(rig, "l2"));
    await rig.clock.pass(200);
    assert.deepEqual(ran.slice(7), ["l0", "l1", "l2"]);
    await workflow.replay();
    await rig.clock.pass(200);
    assert.deepEqual(ran.slice(10), ["one", "a1", "a2", "b1", "l0", "l1", "l2"]);
    const { entries } = await historyOf(rig, "a", "k");
    assert.equal(new Set(entries.map(({ id }) => id)).size, entries.length);
    assert.ok(Number(entries[0]?.id) > 12, "numbers are not used again");
    await rig.close();
  });

  it("is refused while a step runs, and for an entry that there is not", async () => {
    let end: () => void = () => {};
    const a = actor({
      actions: { get: () => 1 },
      run: {
        async workflow(w) {
          const hold = (): Promise<void> => new Promise((resolve) => (end = resolve));
          await w.step("s", { turn: "interleaved" }, hold);
          throw new Error("the end");
        },
      },
    });
    const rig = new Rig({ a });
    await rig.act("a", "k", "get");
    const workflow = await workflowOf(rig, "a", "k");
    assert.equal((await failureOf(workflow.replay())).code, "actor.workflow_in_flight");
    end();
    await rig.clock.settle();
    assert.equal(workflow.history().state, "failed");
    assert.equal((await failureOf(workflow.replay("77"))).code, "workflow.entry_not_found");
    assert.equal(workflow.history().state, "failed");
    await workflow.replay("1");
    await rig.clock.settle();
    end();
    await rig.clock.settle();
    assert.equal(workflow.history().state, "failed");
    await rig.close();
  });

  it("does again what was undone", async () => {
    const ran: string[] = [];
    const a = actor({
      actions: { get: () => 1 },
      run: {
        async workflow(w) {
          await w.step("plain", () => void ran.push("plain"));
          const rollback = (): void => void ran.push("undone");
          await w.step("one", { rollback }, () => void ran.push("one"));
          await w.step("two", { maxRetries: 0 }, () => {
            ran.push("two");
            if (ran.length < 5) throw new Error("not yet");
          });
        },
      },
    });
    const rig = new Rig({ a });
    await rig.act("a", "k", "get");
    await rig.clock.settle();
    const workflow = await workflowOf(rig, "a", "k");
    assert.equal(workflow.history().state, "failed");
    await workflow.replay("3");
    await rig.clock.settle();
    assert.deepEqual(ran, ["plain", "one", "two", "undone", "one", "two"]);
    assert.equal(workflow.history().state, "completed");
    await rig.close();
  });
});
