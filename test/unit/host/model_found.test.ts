import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { actor } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import type { Committed, StoreChange } from "../../../src/ports/store.ts";
import { DiskStore, type Fate } from "./model/disk_store.ts";
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

  it("an actor whose deletion fails goes on with its schedules, or has ended", async () => {
    const planner = actor({
      state: { done: 0 },
      actions: {
        later: (c) => c.schedule.after(60_000, "work"),
        work(c) {
          c.state.done += 1;
        },
        done: (c) => c.state.done,
      },
    });
    for (const written of [0, 1]) {
      const clock = new FakeClock();
      let left = Number.POSITIVE_INFINITY;
      const fate = (): Fate => ({ ms: 0, fault: left-- > 0 ? undefined : "statement" });
      const rig = new Rig({ planner }, { clock, store: new DiskStore(clock, fate) });
      await rig.act("planner", "a", "later");
      const { id } = await rig.instance("planner", "a");
      left = written;
      await assert.rejects(rig.host.stop(id, "destroy"), { code: "storage" });
      left = Number.POSITIVE_INFINITY;
      await clock.advance(60_000);
      const done = (await rig.host.find({ id })) && (await rig.act("planner", { id }, "done"));
      assert.equal(done, written === 0 ? 1 : undefined);
    }
  });

  it("an actor whose first commit is refused at once is made by the next call", async () => {
    class FullStore extends MemoryStore {
      isFull = true;

      override submit(changes: readonly StoreChange[], committed: Committed): void {
        if (!this.isFull) return super.submit(changes, committed);
        queueMicrotask(() => committed(new ActrError("overloaded", "too much waits")));
      }
    }
    const store = new FullStore();
    const counter = actor({ state: { n: 0 }, actions: { add: (c) => ++c.state.n } });
    const rig = new Rig({ counter }, { store });
    assert.equal((await failureOf(rig.act("counter", "a", "add"))).kind, "transient");
    store.isFull = false;
    assert.equal(await rig.act("counter", "a", "add"), 1);
  });
});
