import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lanes } from "../../../src/protocol/frame.ts";
import {
  ChunkPeer,
  registryRig,
  SlowHandler,
  settles,
  streamId,
  textOf,
  turns,
} from "./support.ts";

const latencyFirst = { lane: lanes.streamLatencyFirst };

describe("stream registry", () => {
  it("[N-155] gives chunks to who registered; unknown ids and unknown unregistering do nothing", () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const heard: string[] = [];
    assert.doesNotThrow(() => rig.registry.unregister("nothing", undefined));
    remote.send("early");
    rig.registry.register(streamId, undefined, {
      take: (chunk, sender) => void heard.push(`${textOf(chunk)} of ${sender.serial}`),
    });
    remote.send("a");
    remote.send("other", { id: "other" });
    rig.registry.unregister(streamId, undefined);
    rig.registry.unregister(streamId, undefined);
    remote.send("late");
    assert.deepEqual(heard, ["a of 7"]);
    assert.equal(rig.registry.tally.received, 1);
    assert.equal(rig.registry.tally.dropped, 3);
    assert.equal(rig.registry.size, 0);
  });

  it("[N-156] [ND-47] [T-88] handles the chunks of one stream one by one, in order", async () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const handler = new SlowHandler();
    rig.registry.register(streamId, undefined, handler);
    remote.send("1");
    remote.send("2");
    await turns();
    assert.deepEqual(handler.begun, ["1"]);
    await handler.release();
    assert.deepEqual(handler.done, ["1"]);
    assert.deepEqual(handler.begun, ["1", "2"]);
    await handler.release();
    assert.deepEqual(handler.done, ["1", "2"]);
  });

  it("[N-157] [T-88] a slow stream does not stop a fast one", () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const slow = new SlowHandler();
    const fast: string[] = [];
    rig.registry.register("slow", undefined, slow);
    rig.registry.register("fast", undefined, { take: (chunk) => void fast.push(textOf(chunk)) });
    for (const text of ["a", "b", "c"]) {
      remote.send(text, { id: "slow" });
      remote.send(text, { id: "fast" });
    }
    assert.deepEqual(fast, ["a", "b", "c"]);
    assert.deepEqual(slow.begun, ["a"]);
  });

  it("[N-158] [T-88] counts and tells a handler that throws or rejects, and goes on with the next chunk", async () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const heard: string[] = [];
    const others: string[] = [];
    rig.registry.register("other", undefined, { take: (chunk) => void others.push(textOf(chunk)) });
    rig.registry.register(streamId, undefined, {
      take(chunk) {
        const text = textOf(chunk);
        if (text === "throw") throw new Error("thrown");
        if (text === "reject") return Promise.reject(new Error("rejected"));
        heard.push(text);
      },
    });
    remote.send("throw");
    assert.equal(rig.registry.tally.failed, 1);
    remote.send("a");
    remote.send("c", { id: "other" });
    remote.send("reject");
    remote.send("d", { id: "other" });
    remote.send("b");
    await turns();
    assert.equal(rig.registry.tally.failed, 2);
    assert.deepEqual(others, ["c", "d"], "another stream goes on");
    assert.deepEqual(heard, ["a", "b"]);
    assert.deepEqual(
      rig.failures.map(({ streamId, error }) => [streamId, (error as Error).message]),
      [
        [streamId, "thrown"],
        [streamId, "rejected"],
      ],
    );
  });

  it("[N-159] [T-88] handles what was accepted before it is unregistered", async () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const handler = new SlowHandler();
    rig.registry.register(streamId, undefined, handler);
    for (const text of ["1", "2", "3", "4", "5"]) remote.send(text);
    rig.registry.unregister(streamId, undefined);
    remote.send("6");
    await handler.release(5);
    assert.deepEqual(handler.done, ["1", "2", "3", "4", "5"]);
    assert.equal(rig.registry.size, 0, "nothing is left of it");
  });

  it("[N-160] [T-88] shutdown forgets what is queued, waits for what runs, and ignores what comes late", async () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const handler = new SlowHandler();
    rig.registry.register(streamId, undefined, handler);
    for (const text of ["1", "2", "3"]) remote.send(text);
    const closing = rig.registry.close();
    assert.equal(await settles(closing), false, "one still runs");
    remote.send("4");
    const late: string[] = [];
    rig.registry.register("late", undefined, { take: (chunk) => void late.push(textOf(chunk)) });
    remote.send("5", { id: "late" });
    await handler.release();
    await closing;
    assert.deepEqual(handler.begun, ["1"]);
    assert.deepEqual(handler.done, ["1"]);
    assert.deepEqual(late, []);
    assert.equal(rig.clock.pending, 0);
  });

  it("[N-160] a shutdown leaves a handler behind that does not end in time", async () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const handler = new SlowHandler();
    rig.registry.register(streamId, undefined, handler);
    remote.send("1");
    remote.send("2");
    const closing = rig.registry.close();
    await rig.clock.advance(4_999);
    assert.equal(await settles(closing), false);
    await rig.clock.advance(1);
    await closing;
    await handler.release(2);
    assert.deepEqual(handler.begun, ["1"], "nothing begins afterwards");
    assert.deepEqual(rig.log.levels("stream.close_incomplete"), ["warn"]);
  });

  it("[N-161] [T-88] a latency-first stream drops the newest chunk when its queue is full, and counts it", async () => {
    const rig = registryRig({ maxQueued: 2 });
    const remote = new ChunkPeer(rig);
    const handler = new SlowHandler();
    rig.registry.register(streamId, undefined, handler);
    for (const text of ["1", "2", "3", "4", "5"]) {
      remote.send(text, latencyFirst);
      assert.equal(remote.held, undefined, "the link is never held");
    }
    assert.equal(rig.registry.tally.overflowed, 2);
    await handler.release(3);
    assert.deepEqual(handler.done, ["1", "2", "3"]);
    remote.send("6", latencyFirst);
    await handler.release();
    assert.deepEqual(handler.done.at(-1), "6");
  });

  it("[N-161] [T-88] a reliable stream that lags holds its connection, not another's, and loses nothing", async () => {
    const rig = registryRig({ maxLagBytes: 1_000, maxQueued: 1 });
    const [lagging, other] = [new ChunkPeer(rig, 7), new ChunkPeer(rig, 8)];
    const handler = new SlowHandler();
    rig.registry.register(streamId, undefined, handler);
    rig.registry.register("quick", undefined, { take: () => {} });
    const sent: string[] = [];
    while (lagging.held === undefined) {
      sent.push(String(sent.length));
      lagging.send(sent.at(-1) as string);
    }
    const { held } = lagging;
    assert.equal(sent.length, 5, "one runs, three fit, one is over");
    assert.equal(rig.registry.tally.held, 1);
    other.send("x", { id: "quick" });
    assert.equal(other.held, undefined, "another connection goes on");
    await handler.release();
    assert.equal(await settles(held), false, "over half is still queued");
    await handler.release(2);
    assert.equal(await settles(held), true);
    await handler.release(2);
    assert.deepEqual(handler.done, sent);
    assert.equal(rig.registry.tally.overflowed, 0);
  });

  it("latency-first chunks weigh on the connection too: a few very long ones are not kept", () => {
    const rig = registryRig({ maxLagBytes: 1_000 });
    const remote = new ChunkPeer(rig);
    rig.registry.register(streamId, undefined, new SlowHandler());
    const long = "x".repeat(2_000);
    for (let n = 0; n < 4; n++) remote.send(long, latencyFirst);
    assert.equal(rig.registry.tally.overflowed, 2, "one runs, one waits");
  });

  it("[N-162] [T-88] registered anew, the next chunk goes to the new handler, after those before it", async () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const first = new SlowHandler();
    const second: string[] = [];
    rig.registry.register(streamId, undefined, first);
    remote.send("1");
    remote.send("2");
    rig.registry.register(streamId, undefined, {
      take: (chunk) => void second.push(`${textOf(chunk)} after ${first.done.length}`),
    });
    remote.send("3");
    assert.deepEqual(second, []);
    await first.release(2);
    assert.deepEqual(first.done, ["1", "2"]);
    assert.deepEqual(second, ["3 after 2"]);
  });

  it("[N-162] unregistered and registered again, new chunks wait until the old ones are handled", async () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const first = new SlowHandler();
    const second: string[] = [];
    rig.registry.register(streamId, undefined, first);
    remote.send("1");
    remote.send("2");
    rig.registry.unregister(streamId, undefined);
    remote.send("nobody's");
    rig.registry.register(streamId, undefined, {
      take: (chunk) => void second.push(`${textOf(chunk)} after ${first.done.length}`),
    });
    remote.send("3");
    await first.release(2);
    assert.deepEqual(second, ["3 after 2"]);
    assert.equal(rig.registry.size, 1);
  });

  it("[ND-48] gives a bound stream the chunks of its sender alone, and others the chunks of who may call", () => {
    const rule = { permission: "allow", type: "acme:Friend:1.0.0" } as const;
    const rig = registryRig({}, [rule]);
    const [expected, stranger] = [new ChunkPeer(rig, 7), new ChunkPeer(rig, 8)];
    const heard: string[] = [];
    const take = (name: string) => (chunk: Parameters<typeof textOf>[0]) =>
      void heard.push(`${name} ${textOf(chunk)}`);
    rig.registry.register(streamId, expected.peer.key, { take: take("bound") });
    rig.registry.register(streamId, undefined, { take: take("open") });
    expected.send("a");
    stranger.send("b");
    assert.deepEqual(heard, ["bound a"], "the stranger's type may not call");
    assert.equal(rig.registry.tally.dropped, 1);

    const allowing = registryRig({}, [{ permission: "allow", type: "acme:Peer:1.0.0" }]);
    const [one, two] = [new ChunkPeer(allowing, 7), new ChunkPeer(allowing, 8)];
    allowing.registry.register(streamId, one.peer.key, { take: take("bound") });
    allowing.registry.register(streamId, undefined, { take: take("open") });
    one.send("c");
    two.send("d");
    allowing.registry.unregister(streamId, one.peer.key);
    one.send("e");
    assert.deepEqual(heard.slice(1), ["bound c", "open d", "open e"]);
  });

  it("[ND-49] a handler without promise runs in one piece; one with a promise lets others in at its awaits", async () => {
    const rig = registryRig();
    const remote = new ChunkPeer(rig);
    const order: string[] = [];
    rig.registry.register("whole", undefined, {
      take() {
        void Promise.resolve().then(() => order.push("other work"));
        order.push("begin", "end");
      },
    });
    remote.send("1", { id: "whole" });
    remote.send("2", { id: "whole" });
    await turns();
    assert.deepEqual(order, ["begin", "end", "begin", "end", "other work", "other work"]);

    order.length = 0;
    rig.registry.register("parted", undefined, {
      async take() {
        order.push("begin");
        await Promise.resolve();
        order.push("end");
      },
    });
    remote.send("1", { id: "parted" });
    remote.send("2", { id: "parted" });
    void Promise.resolve().then(() => order.push("other work"));
    await turns();
    assert.deepEqual(order, ["begin", "end", "other work", "begin", "end"]);
  });

  it("refuses ids that are empty or too long, and more streams than allowed", () => {
    const { registry } = registryRig({ maxStreams: 2 });
    const sink = { take: () => {} };
    for (const id of ["", "x".repeat(257)]) {
      assert.throws(() => registry.register(id, undefined, sink), { code: "invalid_argument" });
    }
    registry.register("x".repeat(256), undefined, sink);
    registry.register("b", undefined, sink);
    registry.register("b", undefined, sink);
    assert.throws(() => registry.register("c", undefined, sink), { code: "overloaded" });
    registry.unregister("b", undefined);
    registry.register("c", undefined, sink);
  });

  it("counts each stream of an id once, also when one that was told its end is gone", () => {
    const { registry } = registryRig({ maxStreams: 2 });
    const sink = { take: () => {}, ended: () => {} };
    for (const sender of ["a", "b"]) registry.register(streamId, sender, sink);
    registry.unregister(streamId, "a");
    assert.equal(registry.size, 1);
    registry.register(streamId, "c", sink);
    assert.throws(() => registry.register(streamId, "d", sink), { code: "overloaded" });
  });

  it("drops what is no chunk, and does not let a stranger fill the log", async () => {
    const rig = registryRig();
    const { link, peer } = new ChunkPeer(rig);
    const body = Uint8Array.of(255, 255);
    for (let n = 0; n < 100; n++) {
      void rig.registry.receive({ lane: lanes.streamReliable, body }, peer, link);
    }
    assert.equal(rig.registry.tally.dropped, 100);
    assert.equal(rig.log.levels("stream.undecodable_dropped").length, 10);
    await rig.clock.advance(1_000);
    const remote = new ChunkPeer(rig);
    remote.send("x", { id: "y".repeat(10_000) });
    const [record] = rig.log.records.filter(({ event }) => event === "stream.unknown_dropped");
    assert.equal(String(record?.attributes["stream_id"]).length, 64);
  });
});
