import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { actor } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { asPromise } from "../../../src/host/turns/command.ts";
import { failureOf, Rig } from "./support.ts";

let runs = 0;

const counter = actor({
  state: { count: 0 },
  actions: {
    add(c, by: number): number {
      runs += 1;
      c.state.count += by;
      return c.state.count;
    },
    get(c): number {
      runs += 1;
      return c.state.count;
    },
    addAndFail(c, code: "user.no" | "unavailable"): never {
      runs += 1;
      c.state.count += 1;
      throw new ActrError(code, "no", { details: { at: c.state.count } });
    },
    async addLater(c): Promise<number> {
      runs += 1;
      await gate;
      c.state.count += 1;
      return c.state.count;
    },
  },
  options: { actionTimeoutMs: 1000 },
});

let open: () => void = () => {};
let gate: Promise<void> = Promise.resolve();

function closeGate(): void {
  gate = new Promise((resolve) => {
    open = resolve;
  });
}

function rigOn(store: MemoryStore): Rig {
  runs = 0;
  return new Rig({ counter }, { store });
}

/** What a peer's request named `request` is answered with. */
function ask(rig: Rig, request: string, name: string, ...args: unknown[]): Promise<unknown> {
  const target = { name: "counter", key: ["a"], create: { input: undefined } };
  return asPromise((answer) => rig.host.act(target, { name, args, answer, request }));
}

describe("a request that comes again", () => {
  it("[HD-26] takes effect once, and is answered as the first time", async () => {
    const rig = rigOn(new MemoryStore());
    assert.equal(await ask(rig, "1", "add", 2), 2);
    assert.equal(await ask(rig, "2", "add", 2), 4);
    assert.equal(await ask(rig, "1", "add", 2), 2);
    assert.equal(runs, 2);
    await rig.close();
  });

  it("[HD-26] takes effect once, also after a crash", async () => {
    const store = new MemoryStore();
    const rig = rigOn(store);
    assert.equal(await ask(rig, "1", "add", 2), 2);
    const next = rigOn(store.reopen());
    assert.equal(await ask(next, "1", "add", 2), 2);
    assert.equal(runs, 0);
    assert.equal(await ask(next, "2", "get"), 2);
    await next.close();
  });

  it("waits for the first where that goes on", async () => {
    const rig = rigOn(new MemoryStore());
    closeGate();
    const both = [ask(rig, "1", "addLater"), ask(rig, "1", "addLater")];
    await rig.clock.settle();
    open();
    assert.deepEqual(await Promise.all(both), [1, 1]);
    assert.equal(runs, 1);
    await rig.close();
  });

  it("gets the result of the first, though that took longer than it was waited for", async () => {
    const rig = rigOn(new MemoryStore());
    closeGate();
    const first = failureOf(ask(rig, "1", "addLater"));
    await rig.clock.settle();
    await rig.clock.advance(1100);
    assert.equal((await first).code, "actor.action_timed_out");
    const second = ask(rig, "1", "addLater");
    open();
    assert.equal(await second, 1);
    assert.equal(runs, 1);
    await rig.close();
  });

  it("fails as the first did, unless that may pass", async () => {
    const rig = rigOn(new MemoryStore());
    for (const _ of [1, 2]) {
      const failure = await failureOf(ask(rig, "1", "addAndFail", "user.no"));
      assert.deepEqual([failure.code, failure.message], ["user.no", "no"]);
      assert.deepEqual(failure.details, { at: 1 });
    }
    for (const _ of [1, 2]) await failureOf(ask(rig, "2", "addAndFail", "unavailable"));
    assert.equal(runs, 3);
    await rig.close();
  });

  it("runs again when it changes nothing: it is not stored", async () => {
    const store = new MemoryStore();
    const rig = rigOn(store);
    await ask(rig, "1", "get");
    await ask(rig, "1", "get");
    assert.equal(runs, 2);
    const { id } = await rig.instance("counter", "a");
    const rows = await store.records(`actor:${id}`, "", 100);
    assert.deepEqual(
      rows.map(({ key }) => key).filter((key) => key.startsWith("r:")),
      [],
    );
    await rig.close();
  });

  it("is remembered among the last 256, for ten minutes", async () => {
    const store = new MemoryStore();
    const rig = rigOn(store);
    for (let n = 0; n < 300; n++) await ask(rig, String(n), "add", 1);
    const { id } = await rig.instance("counter", "a");
    const names = async (): Promise<string[]> => {
      const rows = await store.records(`actor:${id}`, "r", 1000);
      return rows.map(({ key }) => key).filter((key) => key.startsWith("r:"));
    };
    assert.equal((await names()).length, 256);
    assert.equal(await ask(rig, "299", "add", 1), 300);
    assert.equal(await ask(rig, "0", "add", 1), 301);
    await rig.clock.advance(600_001);
    await ask(rig, "new", "add", 1);
    assert.deepEqual(await names(), ["r:new"]);
    await rig.close();
  });

  it("is remembered for as long, and among as many, as its options say, the oldest forgotten first", async () => {
    const store = new MemoryStore();
    const options = { requestsKeptMs: 1000, maxRequestsKept: 2 };
    const brief = actor({ ...counter, options });
    const rig = new Rig({ counter: brief }, { store });
    // By time, which is not by name.
    for (const name of ["c", "b"]) {
      await ask(rig, name, "add", 1);
      await rig.clock.advance(10);
    }
    const next = new Rig({ counter: brief }, { store: store.reopen(), clock: rig.clock, seed: 2 });
    assert.equal(await ask(next, "a", "add", 1), 3);
    assert.equal(await ask(next, "b", "add", 1), 2);
    assert.equal(await ask(next, "c", "add", 1), 4);
    await next.clock.advance(1001);
    await ask(next, "d", "add", 1);
    assert.equal(await ask(next, "c", "add", 1), 6);
    await next.close();
  });

  it("is not remembered where its name is longer than 512 characters", async () => {
    const rig = rigOn(new MemoryStore());
    for (const [length, runsOf] of [
      [512, 1],
      [513, 2],
    ] as const) {
      runs = 0;
      for (let i = 0; i < 2; i++) await ask(rig, "x".repeat(length), "add", 1);
      assert.equal(runs, runsOf);
    }
    await rig.close();
  });

  it("runs, if the first had no turn in its time", async () => {
    const rig = rigOn(new MemoryStore());
    closeGate();
    const before = failureOf(ask(rig, "0", "addLater"));
    const first = failureOf(ask(rig, "1", "add", 1));
    await rig.clock.advance(1100);
    assert.deepEqual(
      [(await before).code, (await first).code],
      ["actor.action_timed_out", "actor.action_timed_out"],
    );
    open();
    await rig.clock.settle();
    assert.equal(await ask(rig, "1", "add", 1), 2);
    await rig.close();
  });
});

describe("the options of remembered requests", () => {
  for (const option of ["requestsKeptMs", "maxRequestsKept"]) {
    it(`are whole numbers: ${option}`, () => {
      for (const value of [0, -1, 1.5, "1"]) {
        assert.throws(
          () => new Rig({ counter: actor({ ...counter, options: { [option]: value } }) }),
          {
            code: "config",
            details: { actor: "counter", option, value },
          },
        );
      }
    });
  }
});
