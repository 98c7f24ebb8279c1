import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor, queue } from "../../../../src/actor.ts";
import { ActrError } from "../../../../src/errors.ts";
import { Rig } from "../support.ts";
import { historyOf } from "./support.ts";

describe("what a step changes", () => {
  it("takes effect with its result: messages, schedules, values; what a try that fails began is forgotten", async () => {
    const seen: unknown[] = [];
    const a = actor({
      state: () => ({ ticks: 0 }),
      queues: { mail: queue<{ n: number }>() },
      actions: {
        look: (c) => [c.schedule.list().length, c.state.ticks],
        tick(c) {
          c.state.ticks += 1;
        },
        take: async (c) => (await c.queue.next({ timeoutMs: 0 }))?.body,
      },
      run: {
        async workflow(w) {
          await w.step("s", async (c) => {
            const body = { n: c.attempt };
            c.send("mail", body);
            body.n = 99;
            c.schedule.after(1000, "tick");
            c.schedule.set({ name: "named", at: 1_900_000_000_000 }, "tick");
            c.kv.put("a", c.attempt);
            seen.push(await c.kv.get("a"), (await c.kv.list()).length, c.schedule.list().length);
            if (c.attempt === 1) throw new Error("the first try fails");
          });
          await w.step("cancel", (c) => c.schedule.cancel("named"));
        },
      },
    });
    const rig = new Rig({ a });
    await rig.act("a", "k", "look");
    await rig.clock.advance(500);
    assert.deepEqual(seen, [1, 1, 0, 2, 1, 0]);
    assert.deepEqual(await rig.act("a", "k", "look"), [1, 0]);
    assert.deepEqual(await rig.act("a", "k", "take"), { n: 2 });
    assert.equal(await rig.act("a", "k", "take"), undefined);
    await rig.clock.advance(1000);
    assert.deepEqual(await rig.act("a", "k", "look"), [0, 1]);
    await rig.close();
  });

  it("is refused where it cannot be, with nothing of it left; a full queue is tried again", async () => {
    const a = actor({
      state: () => ({ done: [] as string[] }),
      queues: { mail: queue<string>({ message: (value) => String(value).slice(0, 9) }) },
      options: { maxQueueSize: 1, maxQueueMessageBytes: 20 },
      actions: {
        done: (c) => [...c.state.done],
        take: async (c) => (await c.queue.next({ timeoutMs: 0 }))?.body,
      },
      run: {
        async workflow(w) {
          const missing = w.step("missing", (c) => {
            c.state.done.push("missing");
            c.schedule.after(1, "none");
          });
          assert.equal((await missing.catch(ActrError.from)) instanceof ActrError, true);
          await w.step("one", (c) => c.send("mail", "one"));
          await w.step("two", { maxRetries: 100 }, (c) => {
            c.state.done.push("two");
            c.send("mail", "twotwotwotwo");
          });
        },
      },
    });
    const rig = new Rig({ a });
    await rig.act("a", "k", "done");
    await rig.clock.advance(1000);
    assert.deepEqual(await rig.act("a", "k", "done"), []);
    const { entries } = await historyOf(rig, "a", "k");
    assert.equal(entries[0]?.error?.code, "actor.action_not_found");
    assert.equal(entries[2]?.error?.code, "queue.full");
    assert.equal(await rig.act("a", "k", "take"), "one");
    await rig.clock.advance(10_000);
    assert.deepEqual(await rig.act("a", "k", "done"), ["two"]);
    assert.equal(await rig.act("a", "k", "take"), "twotwotwo");
    await rig.close();
  });

  it("may be all of the state, also where that is no object", async () => {
    const a = actor({
      state: () => 1 as number | { readonly n: number; readonly m?: number },
      actions: { get: (c) => JSON.stringify(c.state) },
      run: {
        async workflow(w) {
          await w.step("number", (c) => {
            c.state = 2;
          });
          await w.step("object", (c) => {
            c.state = { n: 1, m: 1 };
          });
          await w.step("less", (c) => {
            c.state = { n: 2 };
          });
          await w.step("deleted", (c) => {
            c.state = { n: 3, m: 3 };
            Reflect.deleteProperty(c.state, "m");
          });
          await w.sleep("pause", 10);
          await w.step("back", (c) => {
            c.state = 4;
          });
        },
      },
    });
    const rig = new Rig({ a });
    await rig.act("a", "k", "get");
    await rig.clock.settle();
    assert.equal(await rig.act("a", "k", "get"), '{"n":3}');
    await rig.clock.advance(10);
    assert.equal(await rig.act("a", "k", "get"), "4");
    await rig.close();
  });

  it("may need others: an actor that a step calls may call its own back", async () => {
    const friend = actor({
      actions: {
        async greet(c) {
          const back = c.client<{ actors: { readonly a: typeof plain } }>().a.get("k");
          return `hello ${await back.name()}`;
        },
      },
    });
    const plain = actor({ actions: { name: () => "ada" } });
    const a = actor({
      state: () => ({ heard: "" }),
      actions: { name: () => "ada", heard: (c) => c.state.heard },
      run: {
        async workflow(w) {
          await w.step("s", async (c) => {
            const other = c
              .client<{ actors: { readonly friend: typeof friend } }>()
              .friend.get("f");
            c.state.heard = await other.greet();
          });
        },
      },
    });
    const rig = new Rig({ a, friend });
    await rig.act("a", "k", "name");
    await rig.clock.settle();
    assert.equal(await rig.act("a", "k", "heard"), "hello ada");
    await rig.close();
  });
});
