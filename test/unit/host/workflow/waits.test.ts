import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actor, queue } from "../../../../src/actor.ts";
import { ActrError } from "../../../../src/errors.ts";
import { asPromise } from "../../../../src/host/turns/command.ts";
import { Rig } from "../support.ts";
import { again, historyOf, states } from "./support.ts";

const day = 86_400_000;

/** Notes what its workflow receives, which it does until it is told to stop. */
const inbox = actor({
  state: () => ({ got: [] as string[] }),
  queues: { mail: queue<string, string>(), other: queue<string>() },
  options: { sleepAfterMs: 1000 },
  actions: {
    send: (c, name: "mail" | "other", text: string) => c.queue.send(name, text),
    async ask(c, text: string) {
      return await c.queue.sendAndWait("mail", text, { timeoutMs: 50_000 });
    },
    got: (c) => [...c.state.got],
  },
  actionOptions: { ask: { turn: "interleaved" } },
  run: {
    async workflow(w) {
      await w.loop("mails", async (each) => {
        const mail = await each.message("mail", { names: ["mail"], completable: true });
        await each.step("note", (c) => void c.state.got.push(mail.body));
        await mail.complete(`${mail.body}!`);
        return mail.body === "stop" ? { done: "stopped" } : undefined;
      });
    },
  },
});

describe("waits of a workflow", () => {
  it("[HD-12] a day's sleep keeps nothing in memory: one line of the index of alarms wakes the actor", async () => {
    const a = actor({
      state: () => ({ at: 0 }),
      options: { sleepAfterMs: 1000 },
      actions: { at: (c) => c.state.at, later: (c) => c.schedule.after(7200_000, "at") },
      run: {
        async workflow(w) {
          await w.sleep("day", day);
          await w.step("wake", (c) => {
            c.state.at = rig.clock.monotonic();
          });
        },
      },
    });
    const rig = new Rig({ a });
    assert.equal(await rig.act("a", "k", "at"), 0);
    await rig.act("a", "k", "later");
    await rig.clock.pass(2000);
    assert.equal(rig.host.awake, 0);
    const lines = await rig.store.records("alarms", "", 10);
    assert.deepEqual(
      lines.map(({ key }) => [
        Number(key.split(":")[0]) - 1_700_000_000_000,
        key.split(":")[2]?.length === 8,
      ]),
      [
        [7200_000, false],
        [day, true],
      ],
    );
    await rig.clock.pass(day - 10_000);
    assert.equal(rig.host.awake, 0);
    await rig.clock.pass(10_000);
    assert.equal(await rig.act("a", "k", "at"), day);
    await rig.clock.pass(10_000);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    await rig.close();
  });

  it("a sleep lasts until the time that it was given first, whatever the code says later", async () => {
    const ends: number[] = [];
    const sleeper = (ms: number): ReturnType<typeof actor> =>
      actor({
        actions: { get: () => 1 },
        run: {
          async workflow(w) {
            await w.sleep("s", ms);
            await w.sleepUntil("until", 1_700_000_000_000 + 9000);
            await w.step("end", () => void ends.push(rig.clock.monotonic()));
          },
        },
      }) as never;
    let rig = new Rig({ a: sleeper(5000) });
    await rig.act("a", "k", "get");
    await rig.clock.pass(1000);
    await rig.close();
    rig = again(rig, { a: sleeper(60_000) });
    await rig.clock.pass(4500);
    assert.deepEqual(states(await historyOf(rig, "a", "k")), ["s completed", "until sleeping"]);
    await rig.clock.pass(4000);
    assert.deepEqual(ends, [9000]);
    await rig.close();
  });

  it("a message leaves its queue in the commit that makes it part of the history, and wakes the actor", async () => {
    const rig = new Rig({ inbox });
    await rig.act("inbox", "k", "got");
    await rig.clock.pass(5000);
    assert.equal(rig.host.awake, 0);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    await rig.act("inbox", "k", "send", "other", "not this");
    await rig.act("inbox", "k", "send", "mail", "one");
    await rig.clock.settle();
    assert.deepEqual(await rig.act("inbox", "k", "got"), ["one"]);
    const { id } = await rig.instance("inbox", "k");
    const rows = await rig.store.records(`actor:${id}`, "q:", 10);
    assert.equal(rows.filter(({ key }) => key.startsWith("q:")).length, 1);
    const history = await historyOf(rig, "inbox", "k");
    assert.deepEqual(history.entries[1]?.detail, {
      kind: "message",
      message: { id: "2", queue: "mail", body: "one", sentAt: rig.clock.now() },
    });
    await rig.clock.pass(5000);
    assert.equal(rig.host.awake, 0);
    await rig.close();
  });

  it("a message that was sent before a crash is received after it, once", async () => {
    const rig = new Rig({ inbox });
    await rig.act("inbox", "k", "send", "mail", "one");
    rig.host.abandon(new ActrError("stopping", "killed"));
    const next = again(rig, { inbox });
    await next.clock.pass(100);
    assert.deepEqual(await next.act("inbox", "k", "got"), ["one"]);
    await next.close();
  });

  it("who waits for a message hears what the workflow completes it with", async () => {
    const rig = new Rig({ inbox });
    const target = { name: "inbox", key: ["k"], create: { input: undefined } };
    const asked = asPromise((answer) =>
      rig.host.act(target, { name: "ask", args: ["stop"], answer }),
    );
    await rig.clock.settle();
    assert.deepEqual(await asked, { status: "completed", response: "stop!" });
    const history = await historyOf(rig, "inbox", "k");
    assert.equal(history.state, "completed");
    // Nobody waits any more: messages do not wake the actor.
    await rig.act("inbox", "k", "send", "mail", "late");
    await rig.clock.pass(40_000);
    assert.equal(rig.host.awake, 0);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    await rig.close();
  });

  it("a wait for a message ends at its time, also where the actor slept over it", async () => {
    const a = actor({
      state: () => ({ got: "" }),
      queues: { mail: queue<string>() },
      options: { sleepAfterMs: 1000 },
      actions: { got: (c) => c.state.got },
      run: {
        async workflow(w) {
          const mail = await w.message("mail", { timeoutMs: 60_000 });
          await w.step("note", (c) => {
            c.state.got = mail?.body ?? "nothing";
          });
        },
      },
    });
    const rig = new Rig({ a });
    await rig.act("a", "k", "got");
    await rig.clock.pass(59_000);
    assert.equal(rig.host.awake, 0);
    await rig.clock.pass(1000);
    assert.equal(await rig.act("a", "k", "got"), "nothing");
    await rig.close();
  });

  it("a queue that is none fails the workflow, and one that waits does not keep an actor from its end", async () => {
    const a = actor({
      queues: { mail: queue<string>() },
      actions: { end: (c) => c.destroy() },
      run: {
        async workflow(w) {
          await w.message("mail", { names: ["none" as "mail"] }).catch(() => {});
          await w.message("more");
        },
      },
    });
    const rig = new Rig({ a });
    await rig.act("a", "k", "end");
    await rig.clock.pass(100);
    assert.equal(rig.host.awake, 0);
    assert.equal(await rig.store.nextSpace("actor-wf"), undefined);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    await rig.close();
  });
});
