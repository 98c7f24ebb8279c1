import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeGuestHost } from "../../fixtures/fake_guest_host.ts";
import { GuestWorld, textOf } from "../../fixtures/guest_world.ts";

describe("a guest that is stopped while it is loaded", () => {
  it("leaves nothing that runs, at whatever moment", async () => {
    for (let turns = 0; turns < 30; turns++) {
      const host = new FakeGuestHost();
      const world = new GuestWorld(host);
      const loading = world.runner.load(new AbortController().signal).catch(() => {});
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await world.runner.stop();
      await loading;
      assert.equal(world.runner.status().state, "stopped", `after ${turns} turns`);
      assert.equal(world.quota.instances.taken, 0, `after ${turns} turns`);
      assert.equal(world.quota.memory.taken, 0, `after ${turns} turns`);
    }
  });
});

describe("a guest that is stopped while it is built anew", () => {
  it("leaves nothing that runs, at whatever moment", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const host = new FakeGuestHost(({ entry }) => {
        if (textOf(entry) === "trap") throw new Error("trap");
        return { ok: undefined };
      });
      const world = await new GuestWorld(host).load();
      await world.enter({ name: "on-start" });
      await assert.rejects(world.ask("trap"));
      const answer = world.ask("a").catch(() => {});
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await world.runner.stop();
      await answer;
      const { instances, memory, entries } = world.quota;
      const taken = [instances.taken, memory.taken, entries.taken];
      assert.deepEqual(taken, [0, 0, 0], `after ${turns} turns`);
      assert.equal(world.clock.pending, 0, `after ${turns} turns`);
    }
  });
});
