import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { actor } from "../../../src/actor.ts";
import { failureOf, Rig } from "./support.ts";

const forever = (): Promise<void> => new Promise(() => {});

/** Runs its hooks as the test tells it, and writes them down. */
function definition(hooks: {
  calls?: string[];
  onCreate?: () => void | Promise<void>;
  onWake?: () => void | Promise<void>;
}) {
  return actor({
    state: () => ({ count: 0, made: false }),
    async onCreate(c) {
      hooks.calls?.push("onCreate");
      c.state.made = true;
      c.kv.put("k", 1);
      await hooks.onCreate?.();
    },
    async onWake() {
      hooks.calls?.push("onWake");
      await hooks.onWake?.();
    },
    actions: {
      add(c) {
        c.state.count += 1;
        return c.state.count;
      },
      made: (c) => c.state.made,
    },
  });
}

/** Every space of a store that has something in it. */
async function spaces(store: {
  nextSpace(space: string): Promise<string | undefined>;
}): Promise<string[]> {
  const found: string[] = [];
  for (let space = await store.nextSpace(""); space !== undefined; ) {
    found.push(space);
    space = await store.nextSpace(space);
  }
  return found;
}

describe("the start of an actor", () => {
  it("runs onCreate once in its life, and onWake each time", async () => {
    const calls: string[] = [];
    const rig = new Rig({ subject: definition({ calls }) });
    await rig.act("subject", "a", "add");
    await rig.clock.advance(30_000);
    await rig.act("subject", "a", "add");
    assert.deepEqual(calls, ["onCreate", "onWake", "onWake"]);
    await rig.close();
  });

  it("[H-6][H-7] that fails at its creation leaves nothing: the next one is a new actor again", async () => {
    const calls: string[] = [];
    const store = new MemoryStore();
    let broken = true;
    const onCreate = (): void => {
      if (broken) throw new Error("not today");
    };
    const rig = new Rig({ subject: definition({ calls, onCreate }) }, { store });
    assert.equal((await failureOf(rig.act("subject", "a", "add"))).message, "not today");
    assert.equal(rig.host.awake, 0);
    assert.deepEqual(await spaces(store), []);
    broken = false;
    assert.equal(await rig.act("subject", "a", "made"), true);
    assert.deepEqual(calls, ["onCreate", "onCreate", "onWake"]);
    await rig.close();
  });

  it("[H-6] writes nothing of a new actor as long as its hooks run, and all of it in one commit after", async () => {
    const store = new MemoryStore();
    let go = (): void => {};
    const onCreate = (): Promise<void> =>
      new Promise((resolve) => {
        go = resolve;
      });
    const rig = new Rig({ subject: definition({ onCreate }) }, { store });
    const adding = rig.act("subject", "a", "add");
    await rig.clock.advance(4000);
    assert.deepEqual(await spaces(store), []);
    go();
    assert.equal(await adding, 1);
    assert.equal((await spaces(store)).length, 3);
    await rig.close();
  });

  it("[HD-10] is over at its deadline: who waits is told, nothing stays, and the next call starts it anew", async () => {
    const store = new MemoryStore();
    let hangs = true;
    const onCreate = async (): Promise<void> => {
      if (hangs) await forever();
    };
    const rig = new Rig({ subject: definition({ onCreate }) }, { store });
    const calls = ["add", "made"].map((name) => failureOf(rig.act("subject", "a", name)));
    await rig.clock.advance(5000);
    for (const call of calls) {
      const { code, details, retryable } = await call;
      assert.deepEqual(
        [code, details, retryable],
        ["actor.callback_timed_out", { callback_name: "onCreate", duration_ms: 5000 }, true],
      );
    }
    assert.deepEqual([rig.host.awake, await spaces(store)], [0, []]);
    hangs = false;
    assert.equal(await rig.act("subject", "a", "add"), 1);
    await rig.close();
  });

  it("has commands wait, and runs them in the order of their arrival", async () => {
    let go = (): void => {};
    const onWake = (): Promise<void> =>
      new Promise((resolve) => {
        go = resolve;
      });
    const rig = new Rig({ subject: definition({ onWake }) });
    const answers: unknown[] = [];
    const calls = [1, 2, 3].map(async () => answers.push(await rig.act("subject", "a", "add")));
    await rig.clock.settle();
    assert.deepEqual(answers, []);
    go();
    await Promise.all(calls);
    assert.deepEqual(answers, [1, 2, 3]);
    await rig.close();
  });

  it("lets nobody pass who comes while those that waited for it are handed over", async () => {
    const notes: unknown[] = [];
    const target = { name: "eager", key: ["a"], create: { input: undefined } };
    const note = (what: unknown): void => {
      const answer = { take: () => () => {}, fail: () => {} };
      rig.host.act(target, { name: "note", args: [what], answer });
    };
    const eager = actor({
      actions: { note: (_, what: unknown) => void notes.push(what) },
      onWake() {
        // One in each step of what follows the start.
        let steps = 0;
        const step = (): void => {
          note(++steps);
          if (steps < 30) void Promise.resolve().then(step);
        };
        void Promise.resolve().then(step);
      },
    });
    const rig = new Rig({ eager });
    note("first");
    await rig.clock.settle();
    assert.deepEqual(notes, ["first", ...Array.from({ length: 30 }, (_, i) => i + 1)]);
    await rig.close();
  });

  it("[HD-14] happens once, however many ask for it, and again changes nothing", async () => {
    const calls: string[] = [];
    const rig = new Rig({ subject: definition({ calls }) });
    const target = { name: "subject", key: ["a"], create: { input: undefined } };
    const [first, second] = await Promise.all([rig.host.wake(target), rig.host.wake(target)]);
    await rig.act("subject", "a", "add");
    assert.equal(first, second);
    assert.equal(await rig.host.wake(target), first);
    assert.equal(await rig.act("subject", "a", "add"), 2);
    assert.deepEqual(calls, ["onCreate", "onWake"]);
    await rig.close();
  });

  it("makes its hooks' failure known to onError and the log", async () => {
    const heard: string[] = [];
    const failing = actor({
      actions: { get: () => 1 },
      onWake: () => Promise.reject(new Error("no database")),
      onError: (_, error, source) => void heard.push(`${source}: ${error.message}`),
    });
    const rig = new Rig({ failing });
    await failureOf(rig.act("failing", "a", "get"));
    assert.deepEqual(heard, ["start: no database"]);
    assert.equal(rig.logged("actor.error").length, 1);
    await rig.close();
  });

  it("[H-38] is the time when an actor can neither sleep nor end nor save", async () => {
    const codes: string[] = [];
    const eager = actor({
      actions: { get: () => 1 },
      async onCreate(c) {
        for (const ask of [() => c.sleep(), () => c.destroy(), () => c.saveState()]) {
          const asked = (async () => await ask())();
          codes.push((await failureOf(asked)).code);
        }
      },
    });
    const rig = new Rig({ eager });
    assert.equal(await rig.act("eager", "a", "get"), 1);
    assert.deepEqual(codes, ["actor.starting", "actor.starting", "actor.starting"]);
    await rig.close();
  });
});

describe("a state of an earlier version", () => {
  const first = actor({ state: () => ({ n: 7 }), actions: { get: (c) => c.state.n } });

  async function stored(): Promise<MemoryStore> {
    const store = new MemoryStore();
    const rig = new Rig({ subject: first }, { store });
    await rig.act("subject", "a", "get");
    await rig.close();
    return store.reopen();
  }

  it("becomes what onMigrate makes of it, once", async () => {
    let migrations = 0;
    const second = actor({
      state: () => ({ text: "" }),
      stateVersion: 2,
      onMigrate(_, { state, version }) {
        migrations += 1;
        return { text: `${(state as { n: number }).n} of version ${version}` };
      },
      actions: { get: (c) => c.state.text },
    });
    const store = await stored();
    const rig = new Rig({ subject: second }, { store });
    assert.equal(await rig.act("subject", "a", "get"), "7 of version 1");
    await rig.close();
    const again = new Rig({ subject: second }, { store: store.reopen() });
    assert.equal(await again.act("subject", "a", "get"), "7 of version 1");
    assert.equal(migrations, 1);
    await again.close();
  });

  it("stays as it was when onMigrate fails, or there is none", async () => {
    const store = await stored();
    const without = actor({ stateVersion: 2, actions: { get: () => 1 } });
    const failing = actor({
      stateVersion: 2,
      onMigrate(): never {
        throw new Error("cannot read it");
      },
      actions: { get: () => 1 },
    });
    const rig = new Rig({ subject: without }, { store });
    assert.equal((await failureOf(rig.act("subject", "a", "get"))).code, "actor.not_configured");
    const next = new Rig({ subject: failing }, { store });
    assert.equal((await failureOf(next.act("subject", "a", "get"))).message, "cannot read it");
    const back = new Rig({ subject: first }, { store });
    assert.equal(await back.act("subject", "a", "get"), 7);
    await back.close();
  });
});
