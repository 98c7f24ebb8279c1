import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { actor, queue } from "../../../src/actor.ts";
import type { ActrError } from "../../../src/errors.ts";
import { sendForClient } from "../../../src/host/queues/awaited_send.ts";
import type { QueueResult, QueueSend } from "../../../src/protocol/actors/messages.ts";
import { HeldStore } from "./held_store.ts";
import { positive } from "./queues_support.ts";
import { failureOf, Rig } from "./support.ts";

const consumer = actor({
  state: () => ({ seen: [] as string[], runs: 0 }),
  queues: {
    jobs: queue<string, string>(),
    slow: queue<number>(),
    later: queue<string, string>(),
    checked: queue<number>({ message: positive }),
    closed: queue<string>({ canPublish: async () => false }),
  },
  options: { sleepAfterMs: 1000 },
  async run(c) {
    c.state.runs += 1;
    if (c.state.runs === 1 && c.key[0] === "failing") {
      c.queue.next({ names: ["jobs"] }).catch(() => {});
      throw new Error("the first run fails");
    }
    for await (const message of c.queue.iterate({ names: ["jobs", "slow"], completable: true })) {
      if (message.queue === "slow") await new Promise<void>((resolve) => wakers.push(resolve));
      c.state.seen.push(String(message.body));
      if (message.queue === "jobs") await message.complete(`${message.body} is done`);
      else await message.complete();
    }
  },
  actions: {
    seen: (c) => c.state.seen,
    send: (c, body: string, delayMs = 0) => c.queue.send("jobs", body, { delayMs }),
    leave: (c) => c.queue.send("later", "nobody waits for it"),
    rest: (c) => c.sleep(),
    ask: (c, body: string) => c.queue.sendAndWait("jobs", body),
    askInVain: (c, timeoutMs: number) => c.queue.sendAndWait("later", "x", { timeoutMs }),
    async completeLater(c) {
      const message = await c.queue.next({ names: ["later"], completable: true });
      await message?.complete("late");
    },
    drop: (c) => c.queue.next({ names: ["later"] }),
  },
});

/** What `run` waits for while it handles a slow message. */
const wakers: (() => void)[] = [];

/** As the queue endpoint does: the actor is woken, or made, and the message put in. */
async function send(
  rig: Rig,
  name: string,
  message: Partial<QueueSend>,
  key = "k",
): Promise<QueueResult> {
  const target = { name: "consumer", key: [key], create: { input: undefined } };
  const instance = await rig.host.wake(target);
  return await sendForClient(instance, name, {
    body: "",
    wait: false,
    timeoutMs: undefined,
    ...message,
  });
}

describe("the run loop of an actor that waits for a message", () => {
  it("lets its actor sleep, and receives what wakes it", async () => {
    const rig = new Rig({ consumer });
    await send(rig, "jobs", { body: "1" });
    await rig.clock.settle();
    await rig.clock.advance(1000);
    assert.equal(rig.host.awake, 0);
    await send(rig, "jobs", { body: "2" });
    await rig.clock.settle();
    assert.deepEqual(await rig.act("consumer", "k", "seen"), ["1", "2"]);
    await rig.clock.advance(1000);
    assert.equal(rig.host.awake, 0);
    await rig.close();
  });

  it("keeps its actor awake while it handles one", async () => {
    const rig = new Rig({ consumer });
    await send(rig, "slow", { body: 1 });
    await rig.clock.advance(10_000);
    assert.equal(rig.host.awake, 1);
    for (const wakeUp of wakers.splice(0)) wakeUp();
    await rig.clock.settle();
    assert.deepEqual(await rig.act("consumer", "k", "seen"), ["1"]);
    await rig.clock.advance(1000);
    assert.equal(rig.host.awake, 0);
    await rig.close();
  });

  it("receives what an action sends, and after a crash what it had not completed", async () => {
    const store = new MemoryStore();
    const first = new Rig({ consumer }, { store });
    await send(first, "slow", { body: 1 });
    await first.act("consumer", "k", "send", "2");
    const second = new Rig({ consumer }, { store: store.reopen() });
    const seen = second.act("consumer", "k", "seen");
    assert.deepEqual(await seen, []);
    await second.clock.settle();
    for (const wakeUp of wakers.splice(0)) wakeUp();
    await second.clock.settle();
    assert.deepEqual(await second.act("consumer", "k", "seen"), ["1", "2"]);
    await second.close();
  });

  it("is woken by a message that was delayed when its actor fell asleep", async () => {
    const rig = new Rig({ consumer });
    await rig.act("consumer", "k", "send", "1", 5000);
    await rig.clock.advance(1000);
    assert.equal(rig.host.awake, 0);
    await rig.clock.advance(3999);
    assert.equal(rig.host.awake, 0);
    await rig.clock.advance(1);
    assert.equal(rig.host.awake, 1);
    await rig.clock.advance(1000);
    assert.equal(rig.host.awake, 0);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    assert.deepEqual(await rig.act("consumer", "k", "seen"), ["1"]);
    await rig.close();
  });

  it("is woken by a message that it had no time for before its actor stopped", async () => {
    const rig = new Rig({ consumer });
    await send(rig, "slow", { body: 1 });
    await send(rig, "jobs", { body: "2" });
    await rig.act("consumer", "k", "rest");
    await rig.clock.settle();
    for (const wakeUp of wakers.splice(0)) wakeUp();
    await rig.clock.settle();
    assert.equal(rig.logged("actor.lifecycle").at(-1)?.attributes["new"], "started");
    assert.deepEqual(await rig.act("consumer", "k", "seen"), ["1", "2"]);
    await rig.close();
  });

  it("is woken after a crash by what it had not completed, without a call", async () => {
    const store = new MemoryStore();
    const first = new Rig({ consumer }, { store });
    await send(first, "slow", { body: 1 });
    const { id } = await first.instance("consumer", "k");
    const second = new Rig({ consumer }, { store: store.reopen() });
    await second.clock.settle();
    assert.equal(second.host.awake, 1);
    for (const wakeUp of wakers.splice(0)) wakeUp();
    await second.clock.settle();
    assert.deepEqual(await second.act("consumer", { id }, "seen"), ["1"]);
    await second.close();
  });

  it("lets its actor sleep on messages that it does not wait for", async () => {
    const rig = new Rig({ consumer });
    await rig.act("consumer", "k", "leave");
    await send(rig, "slow", { body: 1 });
    await rig.act("consumer", "k", "leave");
    await rig.clock.settle();
    for (const wakeUp of wakers.splice(0)) wakeUp();
    await rig.clock.settle();
    await rig.clock.advance(1000);
    assert.equal(rig.host.awake, 0);
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    await rig.clock.advance(60_000);
    assert.equal(rig.host.awake, 0);
    await rig.close();
  });

  it("is not woken for a message that came for another queue while it waited", async () => {
    const rig = new Rig({ consumer });
    await rig.act("consumer", "k", "leave");
    await rig.clock.advance(1000);
    assert.deepEqual([rig.host.awake, await rig.store.records("alarms", "", 10)], [0, []]);
    await rig.close();
  });

  it("is not woken for a message that came while it was busy, and that an action took", async () => {
    const rig = new Rig({ consumer });
    await send(rig, "slow", { body: 1 });
    await rig.act("consumer", "k", "leave");
    await rig.act("consumer", "k", "drop");
    await rig.act("consumer", "k", "rest");
    await rig.clock.settle();
    for (const wakeUp of wakers.splice(0)) wakeUp();
    await rig.clock.settle();
    assert.deepEqual([rig.host.awake, await rig.store.records("alarms", "", 10)], [0, []]);
    await rig.close();
  });

  it("is woken after a crash by the first of those that were delayed, whichever came first", async () => {
    for (const delays of [
      [10_000, 60_000],
      [60_000, 10_000],
    ]) {
      const store = new MemoryStore();
      const first = new Rig({ consumer }, { store });
      for (const ms of delays) await first.act("consumer", "k", "send", `${ms}`, ms);
      const second = new Rig({ consumer }, { store: store.reopen() });
      await second.clock.advance(9999);
      assert.equal(second.host.awake, 0);
      await second.clock.advance(1);
      assert.equal(second.host.awake, 1);
      assert.deepEqual(await second.act("consumer", "k", "seen"), ["10000"]);
      await second.close();
    }
  });

  it("leaves nothing behind that would wake an actor which has ended", async () => {
    const rig = new Rig({ consumer });
    await rig.act("consumer", "k", "send", "1", 60_000);
    const { id } = await rig.instance("consumer", "k");
    await rig.host.stop(id, "destroy");
    assert.deepEqual(await rig.store.records("alarms", "", 10), []);
    await rig.close();
  });

  it("is no reason to wake any more for a definition that has none", async () => {
    const store = new MemoryStore();
    const first = new Rig({ consumer }, { store });
    await first.act("consumer", "k", "send", "1", 60_000);
    assert.equal((await store.records("alarms", "", 10)).length, 1);
    const without = actor({
      state: consumer.state,
      queues: { jobs: queue<string>() },
      options: { sleepAfterMs: 1000 },
      actions: { ping: () => "pong" },
    });
    const second = new Rig({ consumer: without }, { store: store.reopen() });
    await second.act("consumer", "k", "ping");
    await second.clock.advance(1000);
    assert.deepEqual([second.host.awake, await second.store.records("alarms", "", 10)], [0, []]);
    await second.close();
  });

  it("wakes for no message while it waits for none", async () => {
    const careless = actor({
      queues: { jobs: queue<string>() },
      options: { sleepAfterMs: 1000 },
      async run() {},
      actions: { send: (c) => c.queue.send("jobs", "1") },
    });
    const rig = new Rig({ careless });
    await rig.act("careless", "k", "send");
    await rig.clock.advance(1000);
    assert.deepEqual([rig.host.awake, await rig.store.records("alarms", "", 10)], [0, []]);
    await rig.close();
  });

  it("takes no message any more once it has failed", async () => {
    const rig = new Rig({ consumer });
    await rig.host.wake({ name: "consumer", key: ["failing"], create: { input: undefined } });
    await rig.clock.settle();
    await send(rig, "jobs", { body: "1" }, "failing");
    await rig.clock.advance(100);
    assert.deepEqual(await rig.act("consumer", "failing", "seen"), ["1"]);
    await rig.close();
  });
});

describe("a sender that waits for completion", () => {
  it("gets what completes its message", async () => {
    const rig = new Rig({ consumer });
    const result = await send(rig, "jobs", { body: "1", wait: true });
    assert.deepEqual(result, { status: "completed", response: "1 is done" });
    assert.deepEqual(await rig.act("consumer", "k", "ask", "2"), {
      status: "completed",
      response: "2 is done",
    });
    await rig.close();
  });

  it("is told when its time is up [H-78]", async () => {
    const rig = new Rig({ consumer });
    const waiting = send(rig, "later", { body: "1", wait: true, timeoutMs: 50 });
    await rig.clock.advance(50);
    assert.deepEqual(await waiting, { status: "timedOut" });
    const acting = rig.act("consumer", "k", "askInVain", 50);
    await rig.clock.advance(50);
    assert.deepEqual(await acting, { status: "timedOut" });
    await rig.close();
  });

  it("goes on waiting while the actor sleeps", async () => {
    const rig = new Rig({ consumer });
    const waiting = send(rig, "later", { body: "1", wait: true });
    await rig.clock.advance(2000);
    assert.equal(rig.host.awake, 0);
    await rig.act("consumer", "k", "completeLater");
    assert.deepEqual(await waiting, { status: "completed", response: "late" });
    await rig.close();
  });

  it("hears of a message that is deleted on receipt", async () => {
    const rig = new Rig({ consumer });
    const waiting = send(rig, "later", { body: "1", wait: true });
    await rig.clock.settle();
    await rig.act("consumer", "k", "drop");
    assert.deepEqual(await waiting, { status: "completed", response: undefined });
    await rig.close();
  });

  it("stops waiting within an actor that stops", async () => {
    const rig = new Rig({ consumer });
    const waiting = failureOf(rig.act("consumer", "k", "askInVain", 60_000));
    await rig.clock.settle();
    const { id } = await rig.instance("consumer", "k");
    const stopping = rig.host.stop(id, "sleep");
    assert.equal((await waiting).code, "actor.aborted");
    await stopping;
    await rig.close();
  });

  it("is told at the deadline of an action that its message is not written yet", async () => {
    const store = new HeldStore();
    const rig = new Rig({ consumer }, { store });
    await rig.act("consumer", "k", "seen");
    store.fail("the disk is full");
    const failing = failureOf(send(rig, "later", { body: "1" }));
    await rig.clock.settle();
    await rig.clock.advance(60_000);
    assert.equal((await failing).code, "timed_out");
    store.fail(undefined);
    await rig.clock.advance(40_000);
    await rig.close();
  });

  it("is told at once when the node stops: the message is kept, and not to be sent again", async () => {
    const store = new MemoryStore();
    const rig = new Rig({ consumer }, { store });
    const waiting = failureOf(send(rig, "later", { body: "1", wait: true, timeoutMs: 50_000 }));
    await rig.clock.settle();
    const before = rig.clock.now();
    await rig.close();
    const { code, retryable } = await waiting;
    assert.deepEqual([code, retryable, rig.clock.now()], ["actor.aborted", false, before]);
    const next = new Rig({ consumer }, { store: store.reopen(), seed: 2 });
    const { queues } = await next.instance("consumer", "k");
    assert.equal(queues.size, 1);
    await next.close();
  });

  it("is told at once when the actor ends, and no other", async () => {
    const rig = new Rig({ consumer });
    const waiting = failureOf(send(rig, "later", { body: "1", wait: true }));
    const other = send(rig, "later", { body: "1", wait: true, timeoutMs: 1000 }, "other");
    await rig.clock.settle();
    const { id } = await rig.instance("consumer", "k");
    await rig.host.stop(id, "destroy");
    assert.equal((await waiting).code, "actor.aborted");
    await rig.clock.advance(1000);
    assert.deepEqual(await other, { status: "timedOut" });
    await rig.close();
  });

  it("is told at once when the process is given up", async () => {
    const rig = new Rig({ consumer });
    const waiting = failureOf(send(rig, "later", { body: "1", wait: true }));
    await rig.clock.settle();
    rig.host.abandon(await failureOf(Promise.reject(new Error("killed"))));
    assert.equal((await waiting).code, "actor.aborted");
  });

  it("is told that its message was not written", async () => {
    const store = new HeldStore();
    const rig = new Rig({ consumer }, { store });
    await rig.act("consumer", "k", "seen");
    store.refuseNext("statement");
    const failure = await failureOf(send(rig, "later", { body: "1", wait: true }));
    assert.deepEqual(
      [failure.code, (failure.cause as ActrError).code],
      ["actor.restarting", "storage"],
    );
    await rig.close();
  });
});

describe("a client that sends to a queue", () => {
  it("is refused when its actor was to end while it was asked whether it may", async () => {
    let ask = (): void => {};
    const slow = actor({
      queues: {
        jobs: queue<number>({
          canPublish: () =>
            new Promise((resolve) => {
              ask = () => resolve(true);
            }),
        }),
      },
      actions: { end: (c) => c.destroy() },
    });
    const rig = new Rig({ slow });
    await rig.host.wake({ name: "slow", key: ["a"], create: { input: undefined } });
    const instance = await rig.instance("slow", "a");
    const message = { body: 1, wait: false, timeoutMs: undefined };
    const sending = failureOf(sendForClient(instance, "jobs", message));
    await rig.clock.settle();
    await rig.act("slow", "a", "end");
    ask();
    assert.equal((await sending).code, "actor.destroying");
    await rig.close();
  });

  it("is refused where the queue is not for it [H-82]", async () => {
    const rig = new Rig({ consumer });
    assert.equal((await failureOf(send(rig, "closed", {}))).code, "auth.forbidden");
    await rig.close();
  });

  it("is told of queues that are not declared, and of bodies that are not valid [HD-23]", async () => {
    const rig = new Rig({ consumer });
    assert.equal((await failureOf(send(rig, "none", { wait: true }))).code, "queue.not_found");
    const invalid = await failureOf(send(rig, "checked", { body: -1 }));
    assert.equal(invalid.code, "queue.invalid_payload");
    assert.match(invalid.message, /-1 is not positive/);
    await rig.close();
  });
});
