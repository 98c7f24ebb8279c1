import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { actor } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { decodeCbor } from "../../../src/protocol/cbor/decode.ts";
import { HeldStore } from "./held_store.ts";
import { failureOf, Rig } from "./support.ts";

interface State {
  count: number;
  self?: unknown;
}

const later: (() => void)[] = [];
const errors: string[] = [];
/** Ends a pause of `pausing`. */
const pauses: (() => void)[] = [];
const observed: number[] = [];

const subject = actor({
  state: (): State => ({ count: 0 }),
  actions: {
    add(c, by: number) {
      c.state.count += by;
      return c.state.count;
    },
    get: (c) => c.state.count,
    id: (c) => c.actorId,
    addThenFail(c): never {
      c.state.count += 1;
      throw new Error("broken");
    },
    /** Changes the state when the test says so, outside of any action. */
    outside(c, by: number, maxWaitMs?: number) {
      later.push(() => {
        c.state.count += by;
        if (maxWaitMs !== undefined) void c.saveState({ immediate: false, maxWaitMs });
      });
    },
    async saves(c) {
      c.state.count += 1;
      await c.saveState();
      c.state.count += 1;
      await new Promise(() => {}); // It is killed here.
    },
    async slowly(c, ms: number) {
      c.state.count += 1;
      await c.node;
      return ms;
    },
    async pausing(c) {
      c.state.count += 1;
      await new Promise<void>((resolve) => pauses.push(resolve));
      c.state.count += 10;
    },
    circle(c) {
      c.state.count = 100;
      c.state.self = c.state;
    },
  },
  onStateChange: (_, state) => void observed.push(state.count),
  onError: (_, error, source) => void errors.push(`${source}: ${error.code}`),
  actionOptions: { get: { turn: "read" }, saves: { turn: "interleaved" } },
  options: { saveIntervalMs: 5000 },
});

async function storedCount(rig: Rig, id: unknown): Promise<number | undefined> {
  const bytes = await rig.store.record(`actor:${String(id)}`, "s");
  return bytes && (decodeCbor(bytes) as State).count;
}

/** An actor that exists, over a store whose commits can be held back. */
async function begin(): Promise<{ rig: Rig; store: HeldStore; id: unknown }> {
  const store = new HeldStore();
  const rig = new Rig({ subject }, { store });
  const id = await rig.act("subject", "a", "id");
  later.length = 0;
  pauses.length = 0;
  return { rig, store, id };
}

describe("what an actor changes", () => {
  it("is on disk before the caller of the action is told", async () => {
    const { rig, store, id } = await begin();
    store.hold();
    let told = false;
    const adding = rig.act("subject", "a", "add", 2).then(() => {
      told = true;
    });
    await rig.clock.settle();
    assert.equal(told, false);
    store.release();
    await adding;
    assert.equal(await storedCount(rig, id), 2);
    await rig.close();
  });

  it("is on disk, too, when the action fails after the change", async () => {
    const { rig, store, id } = await begin();
    store.hold();
    let told = false;
    const failing = failureOf(rig.act("subject", "a", "addThenFail")).then(() => {
      told = true;
    });
    await rig.clock.settle();
    assert.equal(told, false);
    store.release();
    await failing;
    assert.equal(await storedCount(rig, id), 1);
    await rig.close();
  });

  it("costs an action that changes nothing no commit", async () => {
    const { rig, store } = await begin();
    const before = store.commits.length;
    for (let i = 0; i < 10; i++) await rig.act("subject", "a", "get");
    assert.equal(store.commits.length, before);
    await rig.close();
  });

  it("[HD-9] is one commit for each action, whatever it touched", async () => {
    const parts = actor({
      state: () => ({ n: 0 }),
      queues: { jobs: { kind: "queue" } },
      actions: {
        all(c) {
          c.state.n += 1;
          c.kv.put("k", 1);
          c.schedule.after(60_000, "all");
          c.state.n += 1;
        },
      },
    });
    const store = new HeldStore();
    const rig = new Rig({ parts }, { store });
    await rig.act("parts", "a", "all");
    const before = store.commits.length;
    await rig.act("parts", "a", "all");
    assert.equal(store.commits.length, before + 1);
    assert.ok((store.commits.at(-1)?.length ?? 0) >= 3);
    await rig.close();
  });

  it("[H-15] outside of actions is saved after the interval of saves, not before", async () => {
    const { rig, id } = await begin();
    await rig.act("subject", "a", "outside", 1);
    later[0]?.();
    await rig.clock.advance(4_999);
    assert.notEqual(await storedCount(rig, id), 1);
    await rig.clock.advance(1);
    assert.equal(await storedCount(rig, id), 1);
    await rig.close();
  });

  it("[H-16] outside of actions is saved at once where that is asked for, time and again", async () => {
    const { rig, store, id } = await begin();
    for (const count of [1, 2]) {
      await rig.act("subject", "a", "outside", 1);
      later.pop()?.();
      assert.notEqual(await storedCount(rig, id), count);
      const { context } = await rig.instance("subject", "a");
      await context.saveState();
      assert.equal(await storedCount(rig, id), count);
    }
    assert.equal(rig.clock.now(), new FakeClock().now());
    assert.equal(store.commits.length, 3);
    await rig.close();
  });

  it("[H-17] outside of actions is saved an interval after the save before, not an interval after the change", async () => {
    const { rig, id } = await begin();
    await rig.act("subject", "a", "add", 1);
    await rig.act("subject", "a", "outside", 1);
    await rig.clock.advance(1250);
    later.pop()?.();
    await rig.clock.advance(3749);
    assert.equal(await storedCount(rig, id), 1);
    await rig.clock.advance(1);
    assert.equal(await storedCount(rig, id), 2);
    await rig.act("subject", "a", "outside", 1);
    await rig.clock.advance(5000);
    later.pop()?.();
    await rig.clock.settle();
    assert.equal(await storedCount(rig, id), 3);
    await rig.close();
  });

  it("within an action that goes on is saved with its end, not before, unless that takes long", async () => {
    const { rig, store, id } = await begin();
    await rig.clock.advance(20_000);
    const before = store.commits.length;
    const pausing = rig.act("subject", "a", "pausing");
    await rig.clock.settle();
    assert.equal(store.commits.length, before);
    pauses.pop()?.();
    await pausing;
    assert.deepEqual([store.commits.length, await storedCount(rig, id)], [before + 1, 11]);
    const long = rig.act("subject", "a", "pausing");
    await rig.clock.advance(5000);
    assert.equal(await storedCount(rig, id), 12);
    pauses.pop()?.();
    await long;
    assert.equal(await storedCount(rig, id), 22);
    await rig.close();
  });

  it("[H-18] is one commit where it is asked for four times, of which two may wait, and all are told in order", async () => {
    const { rig, store, id } = await begin();
    await rig.act("subject", "a", "outside", 1);
    const { context } = await rig.instance("subject", "a");
    const before = store.commits.length;
    later.pop()?.();
    const told: string[] = [];
    const requests = (["waits", "waits too", "now", "now too"] as const).map((name) =>
      context.saveState({ immediate: name.startsWith("now") }).then(() => told.push(name)),
    );
    await Promise.all(requests);
    assert.deepEqual(told, ["waits", "waits too", "now", "now too"]);
    assert.deepEqual([store.commits.length, await storedCount(rig, id)], [before + 1, 1]);
    await rig.clock.advance(10_000);
    assert.equal(store.commits.length, before + 1);
    await rig.close();
  });

  it("[H-23] by two saves that are on their way at once is waited for, both, by a stop", async () => {
    const { rig, store, id } = await begin();
    await rig.act("subject", "a", "outside", 10);
    const { context } = await rig.instance("subject", "a");
    const before = store.commits.length;
    store.hold();
    const adding = rig.act("subject", "a", "add", 1);
    await rig.clock.settle();
    later.pop()?.();
    const saving = context.saveState();
    let ended = false;
    const stopping = rig.host.stop(String(id), "sleep").then(() => {
      ended = true;
    });
    await rig.clock.advance(50);
    assert.deepEqual([store.commits.length, ended], [before + 2, false]);
    store.release();
    await Promise.all([adding, saving, stopping]);
    assert.equal(await storedCount(rig, id), 11);
    await rig.close();
  });

  it("[H-55] just before a sleep, with an onStateChange that takes 25 ms, is stored, with what that added", async () => {
    const told: number[] = [];
    const watched = actor({
      state: () => ({ bytes: [0] }),
      actions: {
        id: (c) => c.actorId,
        seen: (c) => c.kv.get("seen"),
        set(c, byte: number) {
          c.state.bytes = [byte];
        },
      },
      async onStateChange(c, { bytes }) {
        const seen = [...bytes];
        await clock.sleep(25, { signal: new AbortController().signal });
        told.push(...seen);
        c.kv.put("seen", seen);
      },
    });
    const clock = new FakeClock();
    const rig = new Rig({ watched }, { clock });
    const id = String(await rig.act("watched", "a", "id"));
    const instance = await rig.instance("watched", "a");
    instance.saving.state = { bytes: [8] };
    let ended = false;
    void rig.host.stop(id, "sleep").then(() => {
      ended = true;
    });
    await rig.clock.advance(24);
    assert.deepEqual([told, ended], [[], false]);
    await rig.clock.advance(1);
    assert.deepEqual([told, ended], [[8], true]);
    const state = await rig.store.record(`actor:${id}`, "s");
    assert.deepEqual(state && decodeCbor(state), { bytes: [8] });
    assert.deepEqual(await rig.act("watched", "a", "seen"), [8]);
    await rig.close();
  });

  it("is reported when its onStateChange fails, at once or later, or takes more than its 5 seconds", async () => {
    const heard: string[] = [];
    const failing = actor({
      state: () => ({ count: 0 }),
      actions: {
        add(c) {
          c.state.count += 1;
        },
      },
      onStateChange(_, { count }) {
        if (count === 1) throw new Error("at once");
        if (count === 3) return new Promise(() => {});
        return Promise.reject(new Error("later"));
      },
      onError: (_, error, source) => void heard.push(`${source}: ${error.message}`),
    });
    const rig = new Rig({ failing });
    for (let i = 0; i < 3; i++) {
      await rig.act("failing", "a", "add");
      await rig.clock.settle();
    }
    assert.deepEqual(heard, ["hook: at once", "hook: later"]);
    await rig.clock.advance(5000);
    assert.equal(heard[2], "hook: onStateChange took longer than 5000 ms");
    await rig.clock.advance(30_000);
    assert.equal(rig.host.awake, 0);
    await rig.close();
  });

  it("[HD-6] that the disk is slow to take keeps neither other turns nor a stop from going on", async () => {
    const { rig, store, id } = await begin();
    const instance = await rig.instance("subject", "a");
    store.hold();
    const adding = rig.act("subject", "a", "add", 1);
    const pausing = rig.act("subject", "a", "pausing");
    await rig.clock.settle();
    assert.equal(pauses.length, 1);
    const stopping = rig.host.stop(String(id), "sleep");
    await rig.clock.settle();
    assert.equal(instance.state, "sleep_grace");
    pauses.pop()?.();
    await rig.clock.settle();
    assert.equal(instance.state, "sleep_finalize");
    store.release();
    await Promise.all([adding, pausing, stopping]);
    assert.equal(await storedCount(rig, id), 12);
    await rig.close();
  });

  it("[H-19] outside of actions is saved sooner where a longest wait is given", async () => {
    const { rig, id } = await begin();
    await rig.act("subject", "a", "outside", 1, 25);
    later[0]?.();
    await rig.clock.advance(24);
    assert.notEqual(await storedCount(rig, id), 1);
    await rig.clock.advance(1);
    assert.equal(await storedCount(rig, id), 1);
    await rig.close();
  });

  it("[H-20] while a save is on its way is saved by the next", async () => {
    const { rig, store, id } = await begin();
    await rig.act("subject", "a", "outside", 10);
    store.hold();
    const adding = rig.act("subject", "a", "add", 1);
    await rig.clock.settle();
    later[0]?.();
    store.release();
    await adding;
    assert.equal(await storedCount(rig, id), 1);
    await rig.clock.advance(5000);
    assert.equal(await storedCount(rig, id), 11);
    await rig.close();
  });

  it("[H-90] is there after a crash, as far as saveState has resolved", async () => {
    const { rig, store } = await begin();
    const cut = rig.act("subject", "a", "saves");
    cut.catch(() => {});
    await rig.clock.settle();
    const next = new Rig({ subject }, { store: store.reopen() });
    assert.equal(await next.act("subject", "a", "get"), 1);
    await next.close();
    // The process of the first one is gone.
    rig.host.abandon(await failureOf(rig.store.record("", "")));
  });

  it("[HD-33] is not put off by actions that go on and on", async () => {
    const { rig, id } = await begin();
    await rig.act("subject", "a", "outside", 7);
    later[0]?.();
    for (let ms = 0; ms < 5000; ms += 500) {
      await rig.act("subject", "a", "get");
      await rig.clock.advance(500);
    }
    assert.equal(await storedCount(rig, id), 7);
    await rig.close();
  });

  it("cannot be stored when it contains itself: the caller is told, and the last good state stays", async () => {
    const { rig } = await begin();
    await rig.act("subject", "a", "add", 3);
    const failure = await failureOf(rig.act("subject", "a", "circle"));
    assert.equal(failure.code, "actor.unsupported_value");
    assert.equal(await rig.act("subject", "a", "get"), 3);
    await rig.close();
  });
});

describe("a commit that fails", () => {
  it("[HD-7] is tried again, later and later, and its caller is answered when it is on disk", async () => {
    const { rig, store, id } = await begin();
    await rig.act("subject", "a", "add", 2);
    store.fail("the disk is full");
    const told: unknown[] = [];
    const adding = rig.act("subject", "a", "add", 40).then((count) => told.push(count));
    await rig.clock.settle();
    const tries = store.commits.length;
    for (const [ms, more] of [
      [74, 0],
      [51, 1],
      [99, 1],
      [151, 2],
    ] as const) {
      await rig.clock.advance(ms);
      assert.equal(store.commits.length, tries + more, `${ms} ms later`);
    }
    assert.deepEqual([told, await storedCount(rig, id)], [[], 2]);
    store.fail(undefined);
    await rig.clock.advance(500);
    await adding;
    assert.deepEqual([told, await storedCount(rig, id)], [[42], 42]);
    assert.equal(rig.logged("actor.saved_again").length, 1);
    await rig.close();
  });

  it("[HD-7] again and again is tried every 30 s; its actor hears of it, stays awake, and takes no more work", async () => {
    const { rig, store, id } = await begin();
    errors.length = 0;
    await rig.act("subject", "a", "outside", 3, 1);
    later[0]?.();
    store.fail("the disk is full");
    const before = store.commits.length;
    await rig.clock.advance(3_600_000);
    const tries = store.commits.length - before;
    assert.ok(tries > 96 && tries < 175, `${tries} tries in an hour`);
    assert.deepEqual(errors, ["save: storage"]);
    assert.equal(rig.host.awake, 1);
    const refusal = await failureOf(rig.act("subject", "a", "get"));
    assert.deepEqual([refusal.code, refusal.retryAfterMs], ["actor.overloaded", 1000]);
    store.fail(undefined);
    await rig.clock.advance(40_000);
    assert.equal(await storedCount(rig, id), 3);
    await rig.clock.advance(30_000);
    assert.equal(rig.host.awake, 0);
    await rig.close();
  });

  it("[HD-8] takes along what was changed since, in one commit", async () => {
    const { rig, store, id } = await begin();
    store.hold();
    store.refuseNext("database");
    const calls = [1, 20].map((by) => rig.act("subject", "a", "add", by));
    await rig.clock.settle();
    store.release();
    await rig.clock.settle();
    // The second was written without the first, and nobody has been told of it.
    calls.push(rig.act("subject", "a", "add", 300));
    await rig.clock.settle();
    const before = store.commits.length;
    await rig.clock.advance(125);
    assert.deepEqual(await Promise.all(calls), [1, 21, 321]);
    assert.equal(store.commits.length, before + 1);
    assert.equal(store.commits.at(-1)?.length, 3);
    assert.equal(await storedCount(rig, id), 321);
    await rig.close();
  });

  it("keeps no caller longer than the deadline of the action", async () => {
    const { rig, store, id } = await begin();
    store.fail("the disk is full");
    const failing = failureOf(rig.act("subject", "a", "add", 5));
    await rig.clock.advance(60_008);
    assert.equal((await failing).code, "actor.action_timed_out");
    store.fail(undefined);
    await rig.clock.advance(40_000);
    assert.equal(await storedCount(rig, id), 5);
    await rig.close();
  });

  it("for what it holds is told to the caller as something to try again; the next call finds what is on disk", async () => {
    const { rig, store } = await begin();
    await rig.act("subject", "a", "add", 2);
    store.refuseNext("statement");
    const failure = await failureOf(rig.act("subject", "a", "add", 40));
    assert.deepEqual([failure.code, failure.retryable], ["actor.restarting", true]);
    assert.equal(rig.host.awake, 0);
    assert.equal(await rig.act("subject", "a", "get"), 2);
    assert.equal(await rig.act("subject", "a", "add", 1), 3);
    await rig.close();
  });

  it("and may have been written all the same is not tried again: the next call finds what is on disk", async () => {
    const { rig, store } = await begin();
    const details = { fault: "database", unknown: true };
    store.failNext(new ActrError("storage", "nobody knows what became of it", { details }));
    const failing = failureOf(rig.act("subject", "a", "add", 40));
    await rig.clock.advance(1000);
    assert.equal((await failing).code, "actor.restarting");
    assert.equal(await rig.act("subject", "a", "get"), 0);
    await rig.close();
  });

  it("since too many wait is tried again", async () => {
    const { rig, store } = await begin();
    store.failNext(new ActrError("overloaded", "too much waits to be written"));
    const adding = rig.act("subject", "a", "add", 40);
    await rig.clock.advance(125);
    assert.equal(await adding, 40);
    assert.equal(rig.host.awake, 1);
    await rig.close();
  });

  it("for what it holds answers everybody who waits, and lets nothing out that was said after", async () => {
    const { rig, store } = await begin();
    store.hold();
    store.refuseNext("statement");
    const calls = [1, 2, 3].map((by) => failureOf(rig.act("subject", "a", "add", by)));
    calls.push(failureOf(rig.act("subject", "a", "get")));
    await rig.clock.settle();
    store.fail("the disk is full");
    store.release();
    for (const call of calls) assert.equal((await call).code, "actor.restarting");
    store.fail(undefined);
    assert.equal(await rig.act("subject", "a", "get"), 0);
    await rig.close();
  });

  it("lets work in until it has been tried three times, and no longer", async () => {
    const { rig, store } = await begin();
    errors.length = 0;
    await rig.act("subject", "a", "outside", 3, 1);
    later.pop()?.();
    store.fail("the disk is full");
    const instance = await rig.instance("subject", "a");
    for (let failures = 0; failures < 3; failures++) {
      assert.equal(instance.refusal, undefined);
      const until = store.commits.length + 1;
      while (store.commits.length < until) await rig.clock.advance(1);
    }
    assert.equal(instance.refusal?.code, "actor.overloaded");
    assert.deepEqual(errors, ["save: storage"]);
    store.fail(undefined);
    await rig.clock.advance(1000);
    assert.equal(instance.refusal, undefined);
    await rig.close();
  });

  it("takes with it what the same actor committed after it, and nothing of another", async () => {
    const lines = new Map<string, Set<object | undefined>>();
    class LineStore extends HeldStore {
      override submit(...[changes, committed, line]: Parameters<HeldStore["submit"]>): void {
        for (const change of changes) {
          if (!("space" in change) || !change.space.startsWith("actor:")) continue;
          const known = lines.get(change.space) ?? new Set();
          lines.set(change.space, known.add(line));
        }
        super.submit(changes, committed, line);
      }
    }
    const rig = new Rig({ subject }, { store: new LineStore() });
    for (const key of ["a", "b", "a", "b"]) await rig.act("subject", key, "add", 1);
    const [a = new Set(), b = new Set()] = [...lines.values()];
    assert.deepEqual([a.size, b.size, lines.size], [1, 1, 2]);
    assert.ok(![...a].some((line) => line === undefined || b.has(line)));
    await rig.close();
  });

  it("at its creation leaves no actor behind, and says why", async () => {
    const store = new HeldStore();
    const rig = new Rig({ subject }, { store });
    store.fail("the disk is full");
    assert.equal((await failureOf(rig.act("subject", "a", "add", 1))).code, "actor.restarting");
    const { code, cause } = await failureOf(rig.host.create("subject", ["b"], undefined));
    assert.equal(code, "actor.restarting");
    assert.match(String(cause), /the disk is full/);
    store.fail(undefined);
    assert.deepEqual(await store.records("actors", "", 10), []);
    assert.equal(await rig.act("subject", "a", "add", 1), 1);
    await rig.close();
  });
});
