import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RecordingStore, storedKeys, wake, worker } from "./queues_support.ts";
import { failureOf, Rig } from "./support.ts";

const bodies = (messages: readonly { readonly body: unknown }[]) => messages.map((m) => m.body);
const codeOf = async (work: Promise<unknown>) => (await failureOf(work)).code;

describe("a queue of an actor", () => {
  it("hands out messages in order, by name or of all", async () => {
    const { rig, queue } = await wake();
    for (const [name, body] of ["a1", "b1", "a2", "b2", "a3"].map((body) => [body[0], body])) {
      queue.send(name as string, body);
    }
    assert.equal((await queue.next({ names: ["b"] }))?.body, "b1");
    assert.deepEqual(bodies(await queue.nextBatch({ names: ["a"], count: 2 })), ["a1", "a2"]);
    assert.deepEqual(bodies(await queue.nextBatch({ count: 9 })), ["b2", "a3"]);
    assert.equal(await queue.next({ timeoutMs: 0 }), undefined);
    await rig.close();
  });

  it("keeps ids and their order on disk and over a restart [H-76]", async () => {
    const first = await wake();
    for (let n = 1; n <= 12; n++) first.queue.send("a", `n${n}`);
    await first.instance.context.saveState();
    const keys = await storedKeys(first);
    assert.deepEqual(
      keys.map((key) => Number(key.slice(2))),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
    await first.rig.close();
    const second = await wake(new Rig({ worker }, { store: first.rig.store }));
    const messages = await second.queue.nextBatch({ count: 12 });
    assert.deepEqual(
      messages.map(({ id }) => id),
      keys.map((key) => String(Number(key.slice(2)))),
    );
    await second.rig.close();
  });

  it("gives who waits the message that comes, who waits longest first [HD-23]", async () => {
    const { rig, queue } = await wake();
    const waits = [queue.next({ names: ["b"] }), queue.next(), queue.next()];
    queue.send("a", "1");
    queue.send("a", "2");
    queue.send("b", "3");
    assert.deepEqual(
      (await Promise.all(waits)).map((message) => message?.body),
      ["3", "1", "2"],
    );
    await rig.close();
  });

  it("ends a wait at its time, and takes nothing afterwards", async () => {
    const { rig, queue } = await wake();
    let ended = false;
    const wait = queue.nextBatch({ timeoutMs: 50 }).finally(() => {
      ended = true;
    });
    await rig.clock.advance(49);
    assert.equal(ended, false);
    await rig.clock.advance(1);
    assert.deepEqual(await wait, []);
    queue.send("a", "later");
    assert.equal((await queue.next())?.body, "later");
    await rig.close();
  });

  it("ends a wait with actor.aborted by its signal, and when the actor stops [H-77]", async () => {
    const { rig, instance, queue } = await wake();
    const controller = new AbortController();
    const { signal } = controller;
    const waits = [queue.next({ signal }), queue.nextBatch({ signal, count: 2 })];
    controller.abort();
    for (const wait of waits) assert.equal(await codeOf(wait), "actor.aborted");
    queue.send("a", "kept");
    assert.equal(await codeOf(queue.next({ signal })), "actor.aborted");
    assert.equal((await queue.next())?.body, "kept");
    const waiting = codeOf(queue.next());
    const closing = rig.host.stop(instance.id, "sleep");
    assert.equal(await waiting, "actor.aborted");
    assert.equal(await codeOf(queue.next()), "actor.aborted");
    await closing;
    await rig.close();
  });

  it("ends the wait of an action at the action's deadline", async () => {
    const { rig, queue } = await wake();
    const acting = codeOf(rig.act("worker", "k", "waitInVain"));
    await rig.clock.advance(1000);
    assert.equal(await acting, "actor.action_timed_out");
    queue.send("b", "not for the action");
    assert.equal((await queue.next())?.body, "not for the action");
    await rig.close();
  });

  it("is iterated until the actor stops", async () => {
    const { rig, instance, queue } = await wake();
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const message of queue) seen.push(message.body);
    })();
    queue.send("a", "1");
    queue.send("b", "2");
    await rig.clock.settle();
    assert.deepEqual(seen, ["1", "2"]);
    await rig.host.stop(instance.id, "sleep");
    await loop;
    await rig.close();
  });

  it("is iterated by name until a signal", async () => {
    const { rig, queue } = await wake();
    const controller = new AbortController();
    const seen: unknown[] = [];
    queue.send("a", "1");
    queue.send("b", "2");
    for await (const message of queue.iterate({ names: ["b"], signal: controller.signal })) {
      seen.push(message.body);
      controller.abort();
    }
    assert.deepEqual(seen, ["2"]);
    await rig.close();
  });

  it("holds back a message that is sent with a delay, also over a restart", async () => {
    const first = await wake();
    first.queue.send("a", "later", { delayMs: 100 });
    first.queue.send("a", "latest", { delayMs: 200 });
    first.queue.send("a", "now");
    assert.equal((await first.queue.next())?.body, "now");
    assert.equal(await first.queue.next({ timeoutMs: 0 }), undefined);
    const wait = first.queue.next();
    await first.rig.clock.advance(100);
    assert.equal((await wait)?.body, "later");
    await first.rig.close();
    const { clock, store } = first.rig;
    const second = await wake(new Rig({ worker }, { store, clock }));
    assert.equal(await second.queue.next({ timeoutMs: 0 }), undefined);
    await clock.advance(100);
    assert.equal((await second.queue.next({ timeoutMs: 0 }))?.body, "latest");
    await second.rig.close();
  });

  it("hands over what was sent, whatever its sender does with it afterwards", async () => {
    const { rig, queue } = await wake();
    const body = { list: [1] };
    queue.send("a", body);
    body.list.push(2);
    assert.deepEqual((await queue.next())?.body, { list: [1] });
    await rig.close();
  });

  it("refuses too many messages, too large ones, and names that are none [H-80] [HD-23]", async () => {
    const { rig, queue } = await wake();
    const refused = (code: string) => (error: unknown) =>
      (error as { code?: string }).code === code;
    assert.throws(() => queue.send("none", ""), refused("queue.not_found"));
    assert.equal(await codeOf(queue.next({ names: ["none"] })), "queue.not_found");
    assert.throws(() => queue.send("a", "x".repeat(100)), refused("queue.message_too_large"));
    queue.send("a", "x".repeat(98));
    for (let n = 1; n < 20; n++) queue.send("b", "");
    assert.throws(() => queue.send("a", ""), refused("queue.full"));
    await queue.next();
    queue.send("a", "");
    await queue.next();
    assert.throws(() => queue.send("a", () => {}), refused("actor.unsupported_value"));
    assert.throws(() => queue.send("a", "", { delayMs: -1 }), RangeError);
    await assert.rejects(queue.nextBatch({ count: 0 }), RangeError);
    await rig.close();
  });

  it("takes what its schema lets through", async () => {
    const { rig, queue } = await wake();
    assert.throws(() => queue.send("checked", -1), { code: "queue.invalid_payload" });
    assert.equal(await codeOf(queue.sendAndWait("checked", 0)), "queue.invalid_payload");
    queue.send("checked", 1);
    assert.equal((await queue.next())?.body, 1);
    await rig.close();
  });

  it("is written in one commit with the turn that sends or receives", async () => {
    const store = new RecordingStore();
    const { rig, instance } = await wake(new Rig({ worker }, { store }));
    const touched = () => store.commits.map((changes) => changes.map(labelOf));
    store.commits.length = 0;
    await rig.act("worker", "k", "send", "1");
    assert.deepEqual(touched(), [["record.put q", "record.put s"]]);
    store.commits.length = 0;
    assert.equal(await rig.act("worker", "k", "receive"), "1");
    assert.deepEqual(touched(), [["record.delete q", "record.put s"]]);
    assert.deepEqual(await storedKeys({ rig, instance, queue: instance.context.queue }), []);
    await rig.close();
  });
});

function labelOf(change: { readonly kind: string; readonly key?: string }): string {
  return `${change.kind} ${change.key?.[0]}`;
}
