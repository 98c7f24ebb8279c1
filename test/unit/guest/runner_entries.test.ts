import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EntryOutcome, GuestEntry } from "../../../src/ports/guest_host.ts";
import { echo, FakeGuestHost, type Script } from "../../fixtures/fake_guest_host.ts";
import { dispatch, GuestWorld, selfId, textOf } from "../../fixtures/guest_world.ts";

/** A guest whose dispatches end when the test says so, by their text. */
class HeldGuest {
  readonly running: string[] = [];
  /** How many ran at once, at most. */
  most = 0;
  readonly #ends = new Map<string, (outcome: EntryOutcome) => void>();

  readonly script: Script = ({ entry }) => {
    const name = textOf(entry) || entry.name;
    this.running.push(name);
    this.most = Math.max(this.most, this.running.length);
    return new Promise<EntryOutcome>((resolve) => this.#ends.set(name, resolve));
  };

  /** Ends one, with its own name as the answer. */
  end(name: string): void {
    const end = this.#ends.get(name);
    assert.ok(end, `${name} does not run`);
    this.#ends.delete(name);
    this.running.splice(this.running.indexOf(name), 1);
    end({ ok: new TextEncoder().encode(name) });
  }
}

const together = { overlaps: true };
const hook: GuestEntry = { name: "on-signaling-connected" };

describe("a guest's line", () => {
  it("[G-67] [G-74] enters one at a time where nothing overlaps, in order", async () => {
    const guest = new HeldGuest();
    await using world = await new GuestWorld(new FakeGuestHost(guest.script)).load();
    const answers = ["a", "b", "c"].map((text) => world.ask(text));
    for (const text of ["a", "b", "c"]) {
      await world.clock.settle();
      assert.deepEqual(guest.running, [text]);
      guest.end(text);
    }
    assert.deepEqual(await Promise.all(answers), ["a", "b", "c"]);
  });

  it("[G-68] [G-70] has those together in flight that may overlap, up to the budget", async () => {
    const guest = new HeldGuest();
    await using world = await new GuestWorld(new FakeGuestHost(guest.script), {
      options: { maxRunning: 2 },
    }).load();
    const answers = ["a", "b", "c"].map((text) => world.ask(text, together));
    await world.clock.settle();
    assert.deepEqual(guest.running, ["a", "b"]);
    guest.end("b");
    await world.clock.settle();
    assert.deepEqual(guest.running, ["a", "c"]);
    guest.end("a");
    guest.end("c");
    assert.deepEqual(await Promise.all(answers), ["a", "b", "c"]);
    assert.equal(guest.most, 2);
  });

  it("[G-77] drains before one that runs alone, and goes on after it", async () => {
    const guest = new HeldGuest();
    await using world = await new GuestWorld(new FakeGuestHost(guest.script)).load();
    const answers = [
      world.ask("a", together),
      world.ask("b", together),
      world.ask("alone"),
      world.ask("c", together),
      world.ask("d", together),
    ];
    await world.clock.settle();
    assert.deepEqual(guest.running, ["a", "b"]);
    guest.end("a");
    await world.clock.settle();
    assert.deepEqual(guest.running, ["b"], "neither the barrier nor what is behind it");
    guest.end("b");
    await world.clock.settle();
    assert.deepEqual(guest.running, ["alone"]);
    guest.end("alone");
    await world.clock.settle();
    assert.deepEqual(guest.running, ["c", "d"]);
    guest.end("c");
    guest.end("d");
    await Promise.all(answers);
  });

  it("lets in what a request may wait for, before hooks that wait, but not beside one", async () => {
    const guest = new HeldGuest();
    await using world = await new GuestWorld(new FakeGuestHost(guest.script)).load();
    const nested = { overlaps: true, nested: true };
    const answers = [world.ask("outer", together), world.enter(hook), world.ask("inner", nested)];
    await world.clock.settle();
    assert.deepEqual(guest.running, ["outer", "inner"]);
    guest.end("inner");
    guest.end("outer");
    await world.clock.settle();
    assert.deepEqual(guest.running, [hook.name]);
    answers.push(world.ask("late", nested));
    await world.clock.settle();
    assert.deepEqual(guest.running, [hook.name]);
    guest.end(hook.name);
    await world.clock.settle();
    guest.end("late");
    await Promise.all(answers);
  });

  it("has no more in flight than its budget, whatever requests wait for", async () => {
    const guest = new HeldGuest();
    const options = { maxRunning: 2 };
    await using world = await new GuestWorld(new FakeGuestHost(guest.script), { options }).load();
    const nested = { overlaps: true, nested: true };
    const answers = [world.ask("a", together), world.ask("b", nested), world.ask("c", nested)];
    await world.clock.settle();
    assert.deepEqual(guest.running, ["a", "b"]);
    guest.end("b");
    await world.clock.settle();
    assert.deepEqual(guest.running, ["a", "c"]);
    for (const name of ["a", "c"]) guest.end(name);
    await Promise.all(answers);
  });

  it("[G-76] counts a lone dispatch as one", async () => {
    const guest = new HeldGuest();
    await using world = await new GuestWorld(new FakeGuestHost(guest.script)).load();
    const answer = world.ask("a", together);
    await world.clock.settle();
    assert.equal(world.runner.status().running, 1);
    guest.end("a");
    await answer;
    assert.equal(world.runner.status().running, 0);
  });

  it("[G-80] [G-82] enters hooks and lifecycle in order", async () => {
    const host = new FakeGuestHost();
    await using world = await new GuestWorld(host).load();
    const peer = { peer: selfId };
    const expiry = { newExpiry: { seconds: 1n, nanoseconds: 0 } };
    const hooks: GuestEntry[] = [
      { name: "on-start" },
      { name: "on-ready" },
      { name: "on-signaling-connecting" },
      { name: "on-signaling-connected" },
      { name: "on-signaling-disconnected" },
      { name: "on-websocket-connecting", event: peer },
      { name: "on-websocket-connected", event: peer },
      { name: "on-websocket-disconnected", event: peer },
      { name: "on-webrtc-connecting", event: peer },
      { name: "on-webrtc-connected", event: peer },
      { name: "on-webrtc-disconnected", event: peer },
      { name: "on-credential-renewed", event: expiry },
      { name: "on-credential-expiring", event: expiry },
      { name: "on-mailbox-backpressure", event: { queueLength: 2n, threshold: 1n } },
      { name: "on-stop" },
    ];
    await Promise.all(hooks.map((entry) => world.enter(entry)));
    const expected = hooks.map(({ name }) => `${name} hook:${name}`);
    assert.deepEqual(host.instance.entered, expected);
  });

  it("refuses an entry that finds too many waiting, and counts hooks apart", async () => {
    const guest = new HeldGuest();
    const options = { maxQueued: 2, maxQueuedHooks: 1 };
    await using world = await new GuestWorld(new FakeGuestHost(guest.script), { options }).load();
    const first = world.ask("a");
    const told = world.enter(hook);
    const answers = [first, world.ask("b"), world.ask("c")];
    await assert.rejects(world.ask("d"), { code: "overloaded", retryAfterMs: 100 });
    for (const name of ["a", hook.name, "b", "c"]) {
      await world.clock.settle();
      guest.end(name);
    }
    await Promise.all([...answers, told]);
    assert.equal(world.runner.status().queued, 0);
  });

  it("[G-89] skips an entry whose caller has left the line", async () => {
    const guest = new HeldGuest();
    const host = new FakeGuestHost(guest.script);
    await using world = await new GuestWorld(host).load();
    const caller = new AbortController();
    const answers = [world.ask("a"), world.ask("b", { signal: caller.signal }), world.ask("c")];
    await world.clock.settle();
    caller.abort(new Error("gone"));
    await assert.rejects(answers[1] ?? Promise.resolve(), /gone/);
    guest.end("a");
    await world.clock.settle();
    guest.end("c");
    assert.equal(await answers[2], "c");
    assert.equal(host.instance.entered.length, 2);
  });

  it("starts what a departed barrier held back", async () => {
    const guest = new HeldGuest();
    await using world = await new GuestWorld(new FakeGuestHost(guest.script)).load();
    const caller = new AbortController();
    const first = world.ask("a", together);
    const barrier = world.ask("alone", { signal: caller.signal });
    const last = world.ask("b", together);
    await world.clock.settle();
    caller.abort(new Error("gone"));
    await assert.rejects(barrier, /gone/);
    await world.clock.settle();
    assert.deepEqual(guest.running, ["a", "b"]);
    guest.end("a");
    guest.end("b");
    await Promise.all([first, last]);
  });

  it("[GD-12] lets a running entry finish whose caller has left, and keeps the instance", async () => {
    const guest = new HeldGuest();
    const host = new FakeGuestHost(guest.script);
    await using world = await new GuestWorld(host).load();
    const caller = new AbortController();
    const left = world.ask("a", { ...together, signal: caller.signal });
    const sibling = world.ask("b", together);
    await world.clock.settle();
    caller.abort(new Error("gone"));
    await world.clock.settle();
    assert.deepEqual(guest.running, ["a", "b"]);
    guest.end("a");
    guest.end("b");
    assert.equal(await sibling, "b");
    await left;
    assert.deepEqual([host.instances.length, host.instance.discarded], [1, false]);
  });

  it("listens to no caller any more whose entry has left the line", async () => {
    const guest = new HeldGuest();
    await using world = await new GuestWorld(new FakeGuestHost(guest.script)).load();
    const { signal } = new AbortController();
    let listening = 0;
    const { addEventListener: add, removeEventListener: remove } = signal;
    signal.addEventListener = (...of: Parameters<typeof add>): void => {
      listening += 1;
      add.apply(signal, of);
    };
    signal.removeEventListener = (...of: Parameters<typeof remove>): void => {
      listening -= 1;
      remove.apply(signal, of);
    };
    const answers = [world.ask("a", { signal }), world.ask("b", { signal })];
    await world.clock.settle();
    assert.equal(listening, 1, "the second waits");
    guest.end("a");
    await world.clock.settle();
    assert.equal(listening, 0);
    guest.end("b");
    await Promise.all(answers);
  });

  it("is not entered for one who has left before", async () => {
    const host = new FakeGuestHost();
    await using world = await new GuestWorld(host).load();
    await assert.rejects(world.ask("a", { signal: AbortSignal.abort(new Error("gone")) }), /gone/);
    assert.deepEqual(host.instance.entered, []);
  });

  it("stops: refuses what waits, lets what runs finish, gives everything back", async () => {
    const guest = new HeldGuest();
    const host = new FakeGuestHost(guest.script);
    const world = await new GuestWorld(host).load();
    const [running, waiting] = [world.ask("a"), world.ask("b")];
    await world.clock.settle();
    const stopped = world.runner.stop();
    await assert.rejects(waiting, { code: "stopping" });
    await assert.rejects(world.ask("c"), { code: "stopping" });
    assert.equal(host.instance.discarded, false);
    guest.end("a");
    assert.equal(await running, "a");
    await stopped;
    assert.deepEqual([host.instance.discarded, host.disposed], [true, 1]);
    assert.equal(world.clock.pending, 0);
    const { instances, memory, entries } = world.quota;
    assert.deepEqual([instances.taken, memory.taken, entries.taken], [0, 0, 0]);
    assert.equal(world.runner.status().state, "stopped");
  });

  it("answers before it is loaded that it is not there", async () => {
    await using world = new GuestWorld(new FakeGuestHost(echo));
    await assert.rejects(world.enter(dispatch("a")), { code: "unavailable" });
  });
});
