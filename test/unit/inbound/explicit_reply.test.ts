import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import type { Reply } from "../../../src/reply.ts";
import { RemotePeer, type RigOptions, rig, ScriptedStore } from "./support.ts";

type Taken = Reply<{ reply: string }>;

/** A rig whose handler keeps every reply. */
async function keeping(setup: RigOptions = {}) {
  const replies = new Map<string, Taken>();
  const world = await rig({
    explicit: (text, _context, reply) => void replies.set(text, reply),
    ...setup,
  });
  const remote = new RemotePeer(world);
  const reply = (text: string): Taken => replies.get(text) ?? assert.fail(`${text} has no reply`);
  return { world, remote, reply };
}

describe("explicit reply", () => {
  it("[ND-26] frees its turn when the handler returns, and answers later, in any order", async () => {
    const { world, remote, reply } = await keeping();
    for (const text of ["a", "b"]) await remote.send(text);
    assert.deepEqual(world.handled, ["a", "b"]);
    assert.deepEqual(remote.heard, []);
    assert.equal(world.inbound.handling.status().pendingReplies, 2);
    assert.equal(reply("b").send({ reply: "B" }), true);
    assert.equal(reply("a").send({ reply: "A" }), true);
    assert.deepEqual(remote.heard, ["B", "A"]);
    assert.equal(world.inbound.handling.status().pendingReplies, 0);
    assert.equal(world.inbound.mailbox.idle, true);
  });

  it("the first answer counts", async () => {
    const { remote, reply } = await keeping();
    await remote.send("a");
    assert.equal(reply("a").closed, false);
    assert.equal(reply("a").fail(new ActrError("not_found", "nobody")), true);
    assert.equal(reply("a").closed, true);
    assert.equal(reply("a").send({ reply: "A" }), false);
    assert.equal(reply("a").fail(new Error("late")), false);
    assert.deepEqual(remote.heard, [10003]);
  });

  it("may answer at once, or within an asynchronous handler; what it throws is an answer, too", async () => {
    const world = await rig({
      explicit: async (text, _context, reply) => {
        if (text === "now") reply.send({ reply: text });
        await Promise.resolve();
        if (text === "soon") reply.send({ reply: text });
        if (text === "never") throw new ActrError("not_found", "nobody");
      },
    });
    const remote = new RemotePeer(world);
    for (const text of ["now", "soon", "never"]) await remote.send(text);
    assert.deepEqual(remote.heard, ["now", "soon", 10003]);
    assert.equal(world.inbound.mailbox.idle, true);
  });

  it("a repeat waits for the answer, or hears it again", async () => {
    const { world, remote, reply } = await keeping();
    const requestId = await remote.send("a");
    await remote.send("a", { requestId });
    reply("a").send({ reply: "A" });
    await remote.send("a", { requestId });
    assert.deepEqual(remote.heard, ["A", "A", "A"]);
    assert.deepEqual(world.handled, ["a"]);
  });

  it("comes within the deadline of the request, or is an error", async () => {
    const { world, remote, reply } = await keeping({
      options: { dispatch: { replyTimeoutMs: 200 } },
    });
    await remote.send("short", { timeoutMs: 100 });
    await remote.send("none", { timeoutMs: 0 });
    await world.clock.advance(110);
    assert.deepEqual(remote.heard, [10002]);
    assert.equal(reply("short").closed, true);
    assert.equal(reply("none").closed, false);
    await world.clock.advance(100);
    assert.deepEqual(remote.heard, [10002, 10002]);
    assert.equal(world.inbound.handling.status().pendingReplies, 0);
  });

  it("one that was dropped is an error at once when the node stops", async () => {
    const { world, remote, reply } = await keeping();
    await remote.send("a");
    await world.inbound.drain();
    await world.inbound.close(new ActrError("stopping", "this node is stopping"));
    assert.deepEqual(remote.heard, [10001]);
    assert.equal(reply("a").send({ reply: "A" }), false);
  });

  it("too many that are to come: a retryable error, before the handler sees the request", async () => {
    const { world, remote, reply } = await keeping({
      options: { dispatch: { maxPendingReplies: 1 } },
    });
    await remote.send("a");
    const requestId = await remote.send("b");
    assert.deepEqual(remote.heard, [10001]);
    reply("a").send({ reply: "A" });
    await remote.send("b", { requestId });
    assert.deepEqual(world.handled, ["a", "b"]);
  });

  it("durable: what was written, the remembered answer and the acknowledgement are one commit, at the reply", async () => {
    const store = new ScriptedStore();
    const replies: Taken[] = [];
    const world = await rig({
      store,
      durable: true,
      explicit: (_text, { state }, reply) => {
        state.put("k", Uint8Array.of(1));
        replies.push(reply);
      },
    });
    const remote = new RemotePeer(world);
    await remote.send("a");
    assert.deepEqual(store.kinds, ["mailbox.put", "mailbox.claim"]);
    replies[0]?.send({ reply: "A" });
    await world.clock.settle();
    assert.equal(store.kinds.at(-1), "record.put answer.put mailbox.ack");
    assert.equal(store.kinds.length, 3);
    assert.deepEqual(remote.heard, ["A"]);
  });

  it("a tell has nobody to answer: its reply is its acknowledgement", async () => {
    const { world, remote, reply } = await keeping();
    await remote.tell("a");
    assert.equal((await world.store.mailboxRows(0, 10)).length, 1);
    reply("a").send({ reply: "" });
    await world.clock.settle();
    assert.deepEqual(await world.store.mailboxRows(0, 10), []);
    assert.deepEqual(remote.heard, []);
  });
});
