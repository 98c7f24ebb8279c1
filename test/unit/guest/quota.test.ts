import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { guestFault } from "../../../src/guest/fault.ts";
import { defaultGuestOptions, resolveGuestOptions } from "../../../src/guest/life/options.ts";
import { defaultGuestQuotaOptions, GuestQuota } from "../../../src/guest/life/quota.ts";
import { FakeGuestHost } from "../../fixtures/fake_guest_host.ts";
import { GuestWorld } from "../../fixtures/guest_world.ts";

const overloaded = { code: "overloaded", details: { fault: "resource_limit" } };

describe("options of guests", () => {
  it("have the defaults of the specification", () => {
    const options = resolveGuestOptions();
    assert.deepEqual(options, defaultGuestOptions);
    assert.deepEqual(
      [options.fuel, options.memoryBytes, options.entryTimeoutMs, options.maxQueued],
      [50_000_000, 64 * 1024 ** 2, 5000, 64],
    );
    assert.equal(resolveGuestOptions({ entryTimeoutMs: 500 }).hookTimeoutMs, 500);
    assert.equal(resolveGuestOptions({ fuel: 5, maxQueued: undefined as never }).maxQueued, 64);
  });

  it("[G-50] are refused by name when they are zero, or do not fit together", () => {
    for (const name of Object.keys(defaultGuestOptions)) {
      for (const value of [0, -1, 1.5, Number.NaN, "1"]) {
        const refused = { code: "config", details: { option: `guest.${name}`, value } };
        assert.throws(() => resolveGuestOptions({ [name]: value }), refused);
      }
    }
    for (const name of Object.keys(defaultGuestQuotaOptions)) {
      const refused = { code: "config", details: { option: `guests.${name}`, value: 0 } };
      assert.throws(() => new GuestQuota({ [name]: 0 }), refused);
    }
    assert.throws(() => resolveGuestOptions({ hookTimeoutMs: 5001 }), { code: "config" });
    const quota = new GuestQuota({ maxMemoryBytes: 1024 });
    assert.throws(() => new GuestWorld(new FakeGuestHost(), { quota }), {
      code: "config",
      message: /guest.memoryBytes is 67108864; it must be at most guests.maxMemoryBytes, 1024/,
    });
  });
});

describe("what all guests may use together", () => {
  it("[G-88] is denied at once, with a typed error, and counted", async () => {
    const quota = new GuestQuota({ maxInstances: 1 });
    await using _ = await new GuestWorld(new FakeGuestHost(), { quota }).load();
    await assert.rejects(new GuestWorld(new FakeGuestHost(), { quota }).load(), overloaded);
    assert.deepEqual([quota.instances.taken, quota.instances.denied], [1, 1]);
  });

  it("[GD-24] is memory as it is used: what is declared first, then growth, which returns with the instance", async () => {
    const quota = new GuestQuota({ maxMemoryBytes: 64 * 1024 ** 2 });
    const hosts = Array.from({ length: 16 }, () => new FakeGuestHost());
    const worlds: GuestWorld[] = [];
    for (const host of hosts) worlds.push(await new GuestWorld(host, { quota }).load());
    assert.equal(quota.memory.taken, 16 * 65_536, "sixteen guests that may have all of it");
    const [host] = hosts;
    const [world] = worlds;
    assert.ok(host !== undefined && world !== undefined);
    host.instance.memoryBytes = 10 * 1024 ** 2;
    await world.ask("a");
    assert.equal(quota.memory.taken, 15 * 65_536 + 10 * 1024 ** 2);
    for (const each of worlds) await each.runner.stop();
    assert.equal(quota.memory.taken, 0);
  });

  it("[G-86] is not given back by a growth that failed", async () => {
    const quota = new GuestQuota();
    const lease = quota.lease(1024);
    assert.match(lease.resize(2 * 1024 ** 3)?.message ?? "", /raise guests.maxMemoryBytes/);
    assert.deepEqual([quota.memory.taken, quota.memory.denied], [1024, 1]);
    lease.release();
    lease.release();
    assert.deepEqual([quota.memory.taken, quota.instances.taken], [0, 0]);
  });

  it("is not given for what has too much at its beginning, nor for a place without memory", async () => {
    const quota = new GuestQuota({ maxMemoryBytes: 64 * 1024 ** 2 });
    const host = new FakeGuestHost();
    host.memoryBytes = 65 * 1024 ** 2;
    await assert.rejects(new GuestWorld(host, { quota }).load(), overloaded);
    assert.equal(host.instance.discarded, true);
    assert.throws(() => quota.lease(65 * 1024 ** 2), overloaded);
    assert.deepEqual([quota.instances.taken, quota.memory.taken], [0, 0]);
  });

  it("has room for the next instance before that is made", async () => {
    const quota = new GuestQuota({ maxMemoryBytes: 64 * 1024 ** 2 });
    const host = new FakeGuestHost(() => {
      throw guestFault("trapped", "trap");
    });
    await using world = await new GuestWorld(host, { quota }).load();
    await assert.rejects(world.ask("a"), { code: "internal" });
    quota.memory.take(64 * 1024 ** 2);
    await assert.rejects(world.ask("b"), overloaded);
    assert.equal(host.instances.length, 1);
    quota.memory.give(64 * 1024 ** 2);
  });

  it("ends an instance that grew beyond it, after its answer, and those in flight with it", async () => {
    const quota = new GuestQuota({ maxMemoryBytes: 64 * 1024 ** 2 });
    const host = new FakeGuestHost(({ instance, invocation }) => {
      if (invocation.requestId !== "r1") return new Promise(() => {});
      instance.memoryBytes = 65 * 1024 ** 2;
      return { ok: new Uint8Array() };
    });
    await using world = await new GuestWorld(host, { quota }).load();
    const answer = world.ask("a", { overlaps: true });
    const sibling = assert.rejects(world.ask("b", { overlaps: true }), { code: "unavailable" });
    await answer;
    await sibling;
    assert.equal(host.instance.discarded, true);
    assert.deepEqual(world.runner.status().faults, { resource_limit: 1 });
    assert.equal(quota.memory.taken, 0);
  });

  it("does not count as a failure of the guest that is denied a new instance", async () => {
    const quota = new GuestQuota({ maxInstances: 1 });
    const host = new FakeGuestHost(() => {
      throw guestFault("trapped", "trap");
    });
    await using world = await new GuestWorld(host, { quota }).load();
    await assert.rejects(world.ask("a"), { code: "internal" });
    await using other = await new GuestWorld(new FakeGuestHost(), { quota }).load();
    for (let i = 0; i < 20; i++) await assert.rejects(world.ask("b"), overloaded);
    await other.runner.stop();
    await assert.rejects(world.ask("c"), { code: "internal" });
    assert.equal(host.instances.length, 2);
  });

  it("bounds compilations, beginnings and entries", async () => {
    const quota = new GuestQuota({ maxCompiles: 1, maxInstantiations: 1, maxEntries: 2 });
    const slow = new FakeGuestHost(() => new Promise(() => {}));
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    slow.onLoad = () => held;
    await using world = new GuestWorld(slow, { quota });
    const loading = world.load();
    await assert.rejects(new GuestWorld(new FakeGuestHost(), { quota }).load(), {
      message: /compilations/,
    });
    slow.onInstantiate = () => held;
    release();
    await loading;
    const answers = [world.ask("a"), world.ask("b")].map((each) => assert.rejects(each));
    await assert.rejects(world.ask("c"), overloaded);
    assert.equal(await world.enter({ name: "on-signaling-connected" }), undefined);
    assert.equal(quota.entries.denied, 2);
    await world.clock.advance(5000);
    await world.clock.advance(5000);
    await Promise.all(answers);
    assert.equal(quota.entries.taken, 0);
    quota.instantiations.take();
    await assert.rejects(new GuestWorld(new FakeGuestHost(), { quota }).load(), {
      message: /beginnings/,
    });
  });

  it("is given back when a guest cannot be loaded, or takes too long", async () => {
    const quota = new GuestQuota();
    const host = new FakeGuestHost();
    host.onInstantiate = (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const world = new GuestWorld(host, { quota });
    const refused = assert.rejects(world.load(), { code: "timed_out" });
    await world.clock.advance(5000);
    await refused;
    host.onLoad = async () => {
      throw guestFault("load_failed", "no component");
    };
    await assert.rejects(new GuestWorld(host, { quota }).load(), { code: "config" });
    const { instances, memory, compiles, instantiations } = quota;
    for (const places of [instances, memory, compiles, instantiations]) {
      assert.equal(places.taken, 0);
    }
    assert.equal(host.disposed, 1);
  });
});
