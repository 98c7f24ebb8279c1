import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ActrError } from "../../../src/errors.ts";
import { guestFault } from "../../../src/guest/fault.ts";
import { FakeGuestHost, type Script } from "../../fixtures/fake_guest_host.ts";
import { chunk, GuestWorld, selfId, textOf } from "../../fixtures/guest_world.ts";

/** `trap…` traps, `error…` is answered with an error, `wait…` never ends; the rest comes back. */
const script: Script = ({ entry }) => {
  const text = textOf(entry);
  if (text.startsWith("trap")) throw guestFault("trapped", "secret of the guest");
  if (text.startsWith("wait")) return new Promise(() => {});
  if (text.startsWith("error")) return { error: { code: "not_found", message: "no such thing" } };
  return { ok: entry.name === "dispatch" ? entry.envelope.payload : undefined };
};

const together = { overlaps: true };
const internal = { code: "internal", public: true, details: { fault: "trapped" } };
const unavailable = { code: "unavailable", retryable: true };

describe("a guest that fails", () => {
  it("[G-61] [G-64] answers with its own error, and serves on in the same instance", async () => {
    const host = new FakeGuestHost(script);
    await using world = await new GuestWorld(host).load();
    await assert.rejects(world.ask("error"), { code: "not_found", message: "no such thing" });
    assert.equal(await world.ask("a"), "a");
    assert.equal(host.instances.length, 1);
  });

  it("[G-63] [G-66] is built anew for the next entry, twice", async () => {
    const host = new FakeGuestHost(script);
    await using world = await new GuestWorld(host).load();
    for (const count of [2, 3]) {
      await assert.rejects(world.ask("trap"), internal);
      assert.equal(world.runner.status().state, "down");
      assert.equal(await world.ask("a"), "a");
      assert.equal(host.instances.length, count);
    }
    assert.equal(world.runner.status().rebuilds, 2);
    assert.deepEqual(world.runner.status().faults, { trapped: 2 });
  });

  it("keeps what a guest says of its end for the log", async () => {
    await using world = await new GuestWorld(new FakeGuestHost(script)).load();
    await assert.rejects(world.ask("trap"), (error: ActrError) => !/secret/.test(error.message));
    const [record] = world.log.records.filter(({ event }) => event === "guest.fault");
    assert.match(String(record?.attributes["error"]), /secret/);
    assert.equal(record?.attributes["request_id"], "r1");
  });

  it("[G-71] [G-78] fails with all that was in flight, and is then built anew", async () => {
    const host = new FakeGuestHost(script);
    await using world = await new GuestWorld(host).load();
    const siblings = [world.ask("wait 1", together), world.ask("wait 2", together)];
    const offender = world.ask("trap", together);
    const ends = siblings.map((sibling) => assert.rejects(sibling, unavailable));
    await assert.rejects(offender, internal);
    await Promise.all(ends);
    assert.equal(await world.ask("a"), "a");
    assert.deepEqual(
      host.instances.map(({ discarded }) => discarded),
      [true, false],
    );
  });

  it("[G-72] [G-73] answers one with timed_out when its time is up, the others with unavailable, after the end", async () => {
    const host = new FakeGuestHost(script);
    await using world = await new GuestWorld(host).load();
    const discardedThen: boolean[] = [];
    const note = (): void => void discardedThen.push(host.instances[0]?.discarded ?? false);
    const late = world.ask("wait", { ...together, timeoutMs: 200 });
    const sibling = world.ask("wait 2", together);
    late.catch(note);
    sibling.catch(note);
    const next = world.ask("same key");
    await world.clock.advance(199);
    assert.equal(host.instance.entered.length, 2);
    await world.clock.advance(1);
    await assert.rejects(late, { code: "timed_out", details: { fault: "timed_out" } });
    await assert.rejects(sibling, unavailable);
    assert.deepEqual(discardedThen, [true, true]);
    assert.equal(await next, "same key");
    assert.deepEqual(host.instances[0]?.entered, ["dispatch r1", "dispatch r2"]);
    assert.deepEqual(world.runner.status().faults, { timed_out: 1 });
  });

  it("ends an entry after five seconds, a hook after one", async () => {
    const host = new FakeGuestHost(() => new Promise(() => {}));
    await using world = await new GuestWorld(host).load();
    const answer = world.ask("a", { timeoutMs: 60_000 });
    answer.catch(() => {});
    await world.clock.advance(4999);
    assert.equal(host.instance.discarded, false);
    await world.clock.advance(1);
    await assert.rejects(answer, { code: "timed_out" });
    const told = world.enter({ name: "on-signaling-connected" });
    await world.clock.advance(1000);
    assert.equal(await told, undefined);
    assert.equal(world.runner.status().failedQuietly, 1);
  });

  it("[G-51] keeps deadlines of less than a millisecond, and never fires early", async () => {
    const host = new FakeGuestHost(script);
    await using world = await new GuestWorld(host).load();
    await world.clock.advance(0.75);
    const answer = world.ask("wait", { timeoutMs: 1.5 });
    answer.catch(() => {});
    await world.clock.advance(1.25);
    assert.equal(host.instance.discarded, false, "1.25 of 1.5 ms have passed");
    await world.clock.advance(1);
    await assert.rejects(answer, { code: "timed_out" });
  });

  it("hears nothing of what an instance does after its end", async () => {
    let resolve = (): void => {};
    const promise = new Promise<void>((open) => {
      resolve = open;
    });
    let asked: unknown;
    const host = new FakeGuestHost(async (entered) => {
      if (textOf(entered.entry) !== "late") return script(entered);
      await promise;
      const { token } = entered.invocation;
      asked = await entered.call({ name: "register-stream", token, streamId: "s" });
      return { ok: new Uint8Array() };
    });
    const operations = (): never => assert.fail("the node was asked");
    await using world = await new GuestWorld(host, { operations }).load();
    const answer = world.ask("late");
    answer.catch(() => {});
    await world.clock.advance(5000);
    await assert.rejects(answer, { code: "timed_out" });
    resolve();
    await world.clock.settle();
    assert.equal((asked as { error: { code: string } }).error.code, "invalid_argument");
  });

  it("asks nothing for a stream's callback after its end", async () => {
    let captured = 0n;
    let late: (() => unknown) | undefined;
    const host = new FakeGuestHost(async ({ entry, invocation, call }) => {
      if (entry.name === "on-data-chunk") {
        late = () => call({ name: "discover", token: captured, type: selfId.type });
        return new Promise(() => {});
      }
      if (textOf(entry) === "trap") throw new Error("trap");
      captured = invocation.token;
      await call({ name: "register-stream", token: captured, streamId: "s" });
      return { ok: new Uint8Array() };
    });
    await using world = await new GuestWorld(host).load();
    await world.ask("register");
    const ended = assert.rejects(world.enter(chunk("s"), together), unavailable);
    await assert.rejects(world.ask("trap", together), internal);
    await ended;
    assert.deepEqual(await late?.(), {
      error: { code: "invalid_argument", message: `token ${captured} is of no entry that runs` },
    });
  });

  it("[GD-11] starts again before it serves again, with its streams unregistered", async () => {
    const host = new FakeGuestHost(script);
    await using world = await new GuestWorld(host).load();
    await world.enter({ name: "on-start" });
    await assert.rejects(world.ask("trap"), internal);
    assert.equal(await world.ask("a"), "a");
    assert.equal(world.rebuilt, 1);
    assert.deepEqual(host.instance.entered, ["on-start hook:on_start:rebuild", "dispatch r2"]);
  });

  it("answers those who wait when it cannot start again", async () => {
    let starts = 0;
    const host = new FakeGuestHost((entered) => {
      if (entered.entry.name !== "on-start" || ++starts !== 2) return script(entered);
      return { error: { code: "internal", message: "no" } };
    });
    await using world = await new GuestWorld(host).load();
    await world.enter({ name: "on-start" });
    await assert.rejects(world.ask("trap"), internal);
    await assert.rejects(world.ask("a"), unavailable);
    assert.equal(host.instances[1]?.discarded, true);
    assert.equal(await world.ask("b"), "b");
  });

  it("[GD-14] pauses longer and longer, then refuses until a minute is over", async () => {
    const host = new FakeGuestHost(script);
    const options = { maxRebuildsPerMinute: 4, rebuildPauseMs: 100 };
    await using world = await new GuestWorld(host, { options }).load();
    for (const pauseMs of [0, 0, 0, 100, 200]) {
      const trapped = assert.rejects(world.ask("trap"), internal);
      if (pauseMs > 0) {
        await world.clock.advance(pauseMs - 1);
        assert.equal(world.runner.status().state, "building");
      }
      await world.clock.advance(1);
      await trapped;
    }
    assert.equal(host.instances.length, 5);
    await assert.rejects(world.ask("a"), (error: ActrError) => {
      assert.equal(error.code, "unavailable");
      assert.ok((error.retryAfterMs ?? 0) > 59_000, String(error.retryAfterMs));
      return true;
    });
    const { state, retryAfterMs = 0 } = world.runner.status();
    assert.equal(state, "refusing");
    await world.clock.advance(retryAfterMs);
    const answer = world.ask("a");
    await world.clock.advance(1000);
    assert.equal(await answer, "a");
    assert.equal(world.runner.status().state, "running");
  });

  it("[GD-14] pauses for five seconds at most, and counts instances that fail to begin", async () => {
    const host = new FakeGuestHost(script);
    const options = { maxRebuildsPerMinute: 8, rebuildPauseMs: 1000 };
    await using world = await new GuestWorld(host, { options }).load();
    await assert.rejects(world.ask("trap"), internal);
    host.onInstantiate = async () => {
      throw guestFault("init_failed", "it does not begin");
    };
    for (const pauseMs of [0, 0, 1000, 2000, 4000, 5000, 5000, 5000]) {
      const refused = assert.rejects(world.ask("a"), unavailable);
      await world.clock.settle();
      assert.equal(world.runner.status().state, pauseMs === 0 ? "down" : "building");
      await world.clock.advance(pauseMs);
      await refused;
    }
    assert.equal(world.runner.status().state, "refusing");
    assert.equal(host.instances.length, 1);
  });

  it("does not blame an entry whose instance says that another ended it", async () => {
    const host = new FakeGuestHost(() => {
      throw guestFault("discarded", "the thread is gone");
    });
    await using world = await new GuestWorld(host).load();
    await assert.rejects(world.ask("a"), unavailable);
  });

  it("waits no longer for a pause when it is stopped", async () => {
    const host = new FakeGuestHost(script);
    const world = await new GuestWorld(host, { options: { rebuildPauseMs: 1000 } }).load();
    for (const _ of [1, 2, 3]) await assert.rejects(world.ask("trap"), internal);
    const waiting = world.ask("a");
    const refused = assert.rejects(waiting, { code: "stopping" });
    await world.clock.settle();
    await world.runner.stop();
    await refused;
    assert.equal(world.clock.pending, 0);
    assert.equal(host.instances.length, 3);
  });

  it("[G-83] answers an on-start that fails with the guest's own text", async () => {
    const host = new FakeGuestHost(() => ({ error: { code: "internal", message: "no licence" } }));
    await using world = await new GuestWorld(host).load();
    await assert.rejects(world.enter({ name: "on-start" }), /no licence/);
  });
});
