import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gate, RemotePeer, rig } from "./support.ts";

describe("pump", () => {
  it("handles one message at a time, in the order of arrival", async () => {
    const events: string[] = [];
    const doors = new Map<string, ReturnType<typeof gate>>();
    const world = await rig({
      async handle(text) {
        events.push(`begin ${text}`);
        const door = gate();
        doors.set(text, door);
        await door.promise;
        events.push(`end ${text}`);
        return text;
      },
    });
    const remote = new RemotePeer(world);
    for (const text of ["a", "b"]) await remote.send(text);
    assert.deepEqual(events, ["begin a"]);
    doors.get("a")?.open();
    await world.clock.settle();
    assert.deepEqual(events, ["begin a", "end a", "begin b"]);
    doors.get("b")?.open();
    await world.clock.settle();
    assert.deepEqual(remote.heard, ["a", "b"]);
  });

  it("[ND-04] looks at priorities again before each message", async () => {
    const first = gate();
    const world = await rig({
      handle: (text) => (text === "a" ? first.promise.then(() => text) : text),
    });
    const remote = new RemotePeer(world);
    await remote.send("a");
    await remote.send("b");
    await remote.send("urgent", { lane: 1 });
    first.open();
    await world.clock.settle();
    assert.deepEqual(world.handled, ["a", "urgent", "b"]);
  });

  it("yields to the event loop after a bounded run", async () => {
    const world = await rig({ open: false, options: { inbound: { maxPerTurn: 10 } } });
    const remote = new RemotePeer(world);
    for (let n = 0; n < 25; n++) remote.post(String(n));
    await world.clock.settle();
    const seen: number[] = [];
    world.inbound.open();
    while (world.handled.length < 25) {
      seen.push(world.handled.length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(seen, [10, 20]);
    assert.deepEqual(
      world.handled,
      Array.from({ length: 25 }, (_, n) => String(n)),
    );
  });

  it("[ND-01] is woken by what arrives: nothing polls while it is idle", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    await remote.send("a");
    assert.deepEqual(remote.heard, ["Echo: a"]);
    const { nextAt = Number.POSITIVE_INFINITY } = world.clock;
    assert.ok(
      nextAt - world.clock.now() >= 10_000,
      "but for the clean-up of the store, now and then",
    );
  });

  it("[N-33] answers calls in sequence, each with its own answer", async () => {
    const world = await rig();
    const remote = new RemotePeer(world);
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await remote.send(String(n)));
    assert.deepEqual(remote.heard, ["Echo: 0", "Echo: 1", "Echo: 2", "Echo: 3", "Echo: 4"]);
    assert.deepEqual(
      remote.answers.map(({ requestId }) => requestId),
      ids,
    );
  });

  it("[N-34] answers ten concurrent calls, each with its own answer", async () => {
    const world = await rig({ handle: async (text) => `Echo: ${text}` });
    const remote = new RemotePeer(world);
    const ids = Array.from({ length: 10 }, (_, n) => remote.post(String(n)));
    await world.clock.settle();
    const replies = new Map(remote.answers.map(({ requestId }, n) => [requestId, remote.heard[n]]));
    assert.equal(replies.size, 10);
    for (const [n, id] of ids.entries()) assert.equal(replies.get(id), `Echo: ${n}`);
  });

  it("is drained when what was let in is done", async () => {
    const door = gate();
    const world = await rig({ handle: (text) => door.promise.then(() => text) });
    const remote = new RemotePeer(world);
    await remote.send("a");
    await remote.send("b");
    let drained = false;
    const draining = world.inbound.drain().then(() => {
      drained = true;
    });
    await world.clock.settle();
    assert.equal(drained, false);
    door.open();
    await draining;
    assert.deepEqual(remote.heard, ["a", "b"]);
  });
});
