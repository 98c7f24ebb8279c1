import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { decodeCbor } from "../../../src/protocol/cbor/decode.ts";
import { storedKeys, wake, worker } from "./queues_support.ts";
import { failureOf, Rig } from "./support.ts";

const codeOf = async (work: Promise<unknown>) => (await failureOf(work)).code;
const completable = true;

describe("a message that is received to be completed", () => {
  it("is kept until it is completed, once", async () => {
    const awake = await wake();
    const { rig, queue } = awake;
    queue.send("a", "1");
    const message = await queue.next({ completable });
    assert.equal(message?.attempt, 1);
    assert.equal((await storedKeys(awake)).length, 1);
    assert.equal(await queue.next({ timeoutMs: 0, completable }), undefined);
    await message?.complete("done");
    assert.deepEqual(await storedKeys(awake), []);
    assert.equal(await codeOf(message?.complete() as Promise<void>), "queue.already_completed");
    assert.equal(await codeOf(message?.retry() as Promise<void>), "queue.already_completed");
    await rig.close();
  });

  it("is told from one that was deleted on receipt", async () => {
    const { rig, queue } = await wake();
    queue.send("a", "1");
    const message = await queue.next();
    const code = await codeOf(message?.complete() as Promise<void>);
    assert.equal(code, "queue.complete_not_configured");
    await rig.close();
  });

  it("is handed out again, in its place, when its time is up [HD-23]", async () => {
    const { rig, queue } = await wake();
    queue.send("brief", "1");
    queue.send("brief", "2");
    const late = await queue.next({ completable });
    await rig.clock.advance(1000);
    assert.equal(await codeOf(late?.complete() as Promise<void>), "queue.timed_out");
    const again = await queue.next({ completable });
    assert.deepEqual([again?.body, again?.attempt], ["1", 2]);
    assert.equal(await codeOf(late?.complete() as Promise<void>), "queue.timed_out");
    await again?.complete();
    assert.equal((await queue.next({ completable }))?.body, "2");
    await rig.close();
  });

  it("wakes who waits when its time is up", async () => {
    const { rig, queue } = await wake();
    queue.send("brief", "1");
    await queue.next({ completable });
    const wait = queue.next({ completable });
    await rig.clock.advance(1000);
    assert.equal((await wait)?.attempt, 2);
    await rig.close();
  });

  it("comes back after pauses that double, or after the one that is given", async () => {
    const { rig, queue } = await wake();
    queue.send("patient", "1");
    for (const pause of [100, 200, 400]) {
      await (await queue.next({ completable }))?.retry();
      await rig.clock.advance(pause - 1);
      assert.equal(await queue.next({ timeoutMs: 0 }), undefined);
      await rig.clock.advance(1);
    }
    const message = await queue.next({ completable });
    assert.equal(message?.attempt, 4);
    await message?.retry({ delayMs: 0 });
    assert.equal((await queue.next({ timeoutMs: 0, completable }))?.attempt, 5);
    await rig.close();
  });

  it("becomes a dead letter after its attempts [HD-23]", async () => {
    const awake = await wake();
    const { rig, instance, queue } = awake;
    queue.send("brief", "1");
    await (await queue.next({ completable }))?.retry({ delayMs: 0 });
    await (await queue.next({ completable }))?.retry({ delayMs: 0 });
    assert.equal(await queue.next({ timeoutMs: 0 }), undefined);
    assert.deepEqual(await storedKeys(awake), []);
    const [letter, ...more] = await rig.store.deadLetters(10);
    assert.deepEqual(more, []);
    assert.equal(letter?.category, "actor_queue");
    assert.equal(letter?.messageId, "1");
    assert.equal(JSON.parse(letter?.context ?? "").actor_id, instance.id);
    const row = decodeCbor(letter?.rawBytes ?? new Uint8Array()) as Record<string, unknown>;
    assert.deepEqual([row["name"], row["body"], row["attempts"]], ["brief", "1", 2]);
    await rig.close();
  });

  it("is handed out again after a crash, its attempts counted [H-79] [HD-23]", async () => {
    const store = new MemoryStore();
    const first = await wake(new Rig({ worker }, { store }));
    first.queue.send("ordered", "1");
    first.queue.send("ordered", "2");
    assert.equal((await first.queue.next({ completable }))?.attempt, 1);
    const names = ["ordered"];
    const second = await codeOf(first.queue.next({ names, completable }));
    assert.equal(second, "queue.previous_message_not_completed");
    const after = await wake(new Rig({ worker }, { store: store.reopen() }));
    const again = await after.queue.next({ names, completable });
    assert.deepEqual([again?.body, again?.attempt], ["1", 2]);
    await after.rig.close();
  });

  it("becomes a dead letter also when each attempt ends the process", async () => {
    let store = new MemoryStore();
    const first = await wake(new Rig({ worker }, { store }));
    first.queue.send("brief", "deadly");
    await first.queue.next({ completable });
    store = store.reopen();
    const second = await wake(new Rig({ worker }, { store }));
    assert.equal((await second.queue.next({ completable }))?.attempt, 2);
    store = store.reopen();
    const third = await wake(new Rig({ worker }, { store }));
    assert.equal(await third.queue.next({ timeoutMs: 0 }), undefined);
    assert.equal((await store.deadLetters(10)).length, 1);
    await third.rig.close();
  });

  it("lets the next one out where only so many may be uncompleted", async () => {
    const { rig, queue } = await wake();
    queue.send("ordered", "1");
    queue.send("ordered", "2");
    queue.send("b", "3");
    const [first, ...others] = await queue.nextBatch({ count: 3, completable });
    assert.deepEqual(
      others.map(({ body }) => body),
      ["3"],
    );
    const wait = queue.next({ completable });
    await first?.retry({ delayMs: 0 });
    assert.equal((await wait)?.body, "1");
    const later = queue.next({ completable });
    await (await wait)?.complete();
    assert.equal((await later)?.body, "2");
    await rig.close();
  });

  it("is completed with what its schema lets through", async () => {
    const { rig, queue } = await wake();
    queue.send("checked", 1);
    const message = await queue.next({ completable });
    const code = await codeOf(message?.complete(-1) as Promise<void>);
    assert.equal(code, "queue.invalid_completion_payload");
    await message?.complete(2);
    await rig.close();
  });

  it("belongs to the next life of its actor when this one is over", async () => {
    const { rig, instance, queue } = await wake();
    queue.send("a", "1");
    const message = await queue.next({ completable });
    await rig.host.stop(instance.id, "sleep");
    assert.equal(await codeOf(message?.complete() as Promise<void>), "actor.stopping");
    const next = await wake(rig);
    assert.equal((await next.queue.next({ timeoutMs: 0, completable }))?.attempt, 2);
    await rig.close();
  });
});
