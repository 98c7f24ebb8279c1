import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor } from "../../../src/actor.ts";
import { failureOf, Rig } from "./support.ts";

describe("what the model has found", () => {
  it("an actor is not put to sleep before it has done what it was woken for", async () => {
    const worker = actor({
      state: { done: 0 },
      actions: {
        later: (c) => c.schedule.after(60_000, "work"),
        work(c) {
          c.state.done += 1;
        },
        done: (c) => c.state.done,
        stay(c) {
          void c.keepAwake(new Promise<void>(() => {}));
        },
      },
    });
    const rig = new Rig({ worker }, { maxAwake: 1 });
    await rig.act("worker", "a", "later");
    // It stays, so that there is no room but that of whoever wakes.
    await rig.act("worker", "b", "stay");
    await rig.clock.advance(60_000);
    assert.equal(await rig.act("worker", "a", "done"), 1);
  });

  it("an actor that is being looked up when the host closes does not wake any more", async () => {
    const counter = actor({ state: { n: 0 }, actions: { add: (c) => ++c.state.n } });
    const rig = new Rig({ counter });
    await rig.act("counter", "a", "add");
    await rig.host.stop((await rig.instance("counter", "a")).id, "sleep");
    const asked = failureOf(rig.act("counter", "a", "add"));
    await rig.close();
    assert.equal((await asked).code, "stopping");
    assert.equal(rig.host.awake, 0);
  });
});
