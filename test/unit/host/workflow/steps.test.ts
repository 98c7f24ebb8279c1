import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor } from "../../../../src/actor.ts";
import { Rig } from "../support.ts";
import { again, historyOf, states } from "./support.ts";

describe("steps of a workflow", () => {
  it("run once each, in order, their results typed and kept; the workflow ends with what it returns", async () => {
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
    assert.ok(Number(await rig.act("a", "k", "sum")) < 3);
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
});
