import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode, type ErrorEvent, type StreamWriter } from "@roost/edge";
import { type TestNode, testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { echoNode, gate } from "./support.ts";

const transports = ["memory", "websocket"] as const;

const text = (chunk: { readonly payload: Uint8Array }): string =>
  new TextDecoder().decode(chunk.payload);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Writes `values` as a whole stream. */
async function writeAll(writer: StreamWriter, values: Iterable<string>): Promise<void> {
  for (const value of values) await writer.write(bytes(value));
  await writer.close();
}

/** Waits for the first error event of a node under `category`. */
async function errorOf(events: ErrorEvent[], category: string, t: TestNode): Promise<ErrorEvent> {
  const found = () => events.find((event) => event.category === category);
  await settledUntil(t.clock, `the error ${category} is told`, () => found() !== undefined);
  return found() as ErrorEvent;
}

for (const transport of transports) {
  describe(`streams of a node over ${transport}`, () => {
    it("go up to a handler that reads its caller's stream, and down again", async () => {
      const app = echoNode(async (id, { streams, callerId }) => {
        const down = await streams.open(callerId, `${id} back`);
        for await (const chunk of streams.receive(id, { from: callerId })) {
          await down.write(bytes(text(chunk).toUpperCase()));
        }
        await down.close();
        return "done";
      });
      await using t = await testNode(app, { transport });
      await using peer = await t.peer();
      const { streams } = peer.context;
      const back = streams.receive("up back", { from: t.id });
      const reply = peer.context.service(EchoService, t.id).echo({ message: "up" });
      const heard: string[] = [];
      const first = await streams.open(t.id, "up");
      // A stream that nobody takes yet is dropped: let the handler begin.
      await t.clock.settle();
      await writeAll(first, ["a", "b", "c"]);
      for await (const chunk of back) heard.push(text(chunk));
      assert.deepEqual(heard, ["A", "B", "C"]);
      assert.equal((await reply).reply, "done");
      assert.equal(t.node.inbound.streams.size, 0);
    });

    it("keep their order, and calls pass a stream that lags", async () => {
      await using t = await testNode(echoNode(), { transport });
      await using peer = await t.peer();
      const slow = gate();
      const heard: string[] = [];
      t.context.streams.register("s", async (chunk) => {
        await slow.promise;
        heard.push(text(chunk));
      });
      const writer = await peer.context.streams.open(t.id, "s");
      const values = Array.from({ length: 500 }, (_, n) => `${n}`);
      for (const value of values) await writer.write(bytes(value));
      const echo = peer.context.service(EchoService, t.id);
      assert.equal((await echo.echo({ message: "hi" })).reply, "Echo: hi");
      assert.deepEqual(heard, []);
      slow.open();
      await t.clock.settle();
      await t.clock.settle();
      assert.deepEqual(heard, values);
    });

    it("[N-161] hold back their writer when they lag too much, and nobody else", async () => {
      const app = { ...echoNode(), options: { streams: { maxLagBytes: 64 * 1024 } } };
      await using t = await testNode(app, { transport });
      await using peer = await t.peer();
      await using other = await t.peer();
      const slow = gate();
      let handled = 0;
      t.context.streams.register("s", async () => {
        await slow.promise;
        handled += 1;
      });
      const writer = await peer.context.streams.open(t.id, "s", { timeoutMs: 60_000 });
      const chunk = new Uint8Array(64 * 1024);
      let written = 0;
      const writing = (async () => {
        for (let n = 0; n < 200; n++) {
          await writer.write(chunk);
          written += 1;
        }
      })();
      for (let turn = 0; turn < 20; turn++) await t.clock.settle();
      assert.ok(written < 120, `${written} chunks of 64 KiB left before anything was handled`);
      const echo = other.context.service(EchoService, t.id);
      assert.equal((await echo.echo({ message: "hi" })).reply, "Echo: hi");
      slow.open();
      await t.clock.through(writing);
      await settledUntil(t.clock, "all chunks are handled", () => handled === 200);
      assert.equal(t.node.inbound.streams.tally.overflowed, 0);
    });

    it("[N-134] a connection that is lost ends the reader and tells the writer's node", async () => {
      const events: ErrorEvent[] = [];
      await using t = await testNode(echoNode(), { transport });
      await using peer = await t.peer(
        defineNode({ hooks: { onError: (_context, event) => void events.push(event) } }),
      );
      const reader = t.context.streams.receive("s", { from: peer.id });
      const writer = await peer.context.streams.open(t.id, "s");
      await writer.write(bytes("1"));
      assert.equal(text((await reader.next()).value), "1");
      const lost = assert.rejects(reader.next(), { code: "unavailable" });
      if (transport === "memory") t.world.hub.dropAll();
      else t.world.network.dropAll();
      await lost;
      await assert.rejects(writer.write(bytes("2")), { code: "unavailable" });
      const event = await errorOf(events, "delivery_uncertain", t);
      assert.equal(event.error.code, "unavailable");
      assert.match(event.context, /^stream_id=s; session_id=1; reason=connection closed/);
      assert.equal(events.filter(({ category }) => category === event.category).length, 1);
    });

    it("end with the node that reads them, and with the one that writes them", async () => {
      await using t = await testNode(echoNode(), { transport });
      await using peer = await t.peer();
      const from = peer.id;
      const reader = t.context.streams.receive("s", { from });
      const writer = await peer.context.streams.open(t.id, "s");
      await writer.write(bytes("1"));
      assert.equal(text((await reader.next()).value), "1");
      const waiting = assert.rejects(reader.next(), { code: "unavailable" });
      await peer.stop();
      await waiting;
      const idle = assert.rejects(t.context.streams.receive("s", { from }).next(), {
        code: "stopping",
      });
      await t.stop();
      await idle;
    });
  });
}

describe("streams of a node", () => {
  it("tell onError of a handler that fails", async () => {
    const events: ErrorEvent[] = [];
    const hooks = { onError: (_: unknown, event: ErrorEvent) => void events.push(event) };
    await using t = await testNode(echoNode(undefined, { hooks }));
    await using peer = await t.peer();
    t.context.streams.register("s", () => {
      throw new Error("broken");
    });
    await peer.context.streams.send(t.id, "s", { payload: bytes("x") });
    const event = await errorOf(events, "handler_crash", t);
    assert.equal(event.context, "stream_id=s");
    const metrics = await (await t.fetch("/metrics")).text();
    assert.match(metrics, /^roost_stream_failures_total 1$/m);
    assert.match(metrics, /^roost_streams 1$/m);
  });

  it("[ND-48] are closed to peers that may not call, unless they are expected", async () => {
    await using t = await testNode(echoNode(undefined, { acl: [] }));
    await using peer = await t.peer();
    const heard: string[] = [];
    t.context.streams.register("open", (chunk) => void heard.push(text(chunk)));
    t.context.streams.register("bound", (chunk) => void heard.push(text(chunk)), { from: peer.id });
    for (const id of ["open", "bound"]) {
      await peer.context.streams.send(t.id, id, { payload: bytes(id) });
    }
    await t.clock.settle();
    assert.deepEqual(heard, ["bound"]);
    assert.equal(t.node.inbound.gate.dropped, 1);
  });

  it("[ND-23] go to the node itself, too", async () => {
    await using t = await testNode(defineNode({}));
    const reader = t.context.streams.receive("s", { from: t.id });
    const writing = writeAll(await t.context.streams.open(t.id, "s"), ["a", "b"]);
    const heard: string[] = [];
    for await (const chunk of reader) heard.push(text(chunk));
    await writing;
    assert.deepEqual(heard, ["a", "b"]);
  });

  it("are the same from a handler's context", async () => {
    const app = echoNode((id, { streams, callerId, media }) => {
      streams.register(id, () => {}, { from: callerId });
      assert.deepEqual(media.tracks, []);
      return "registered";
    });
    await using t = await testNode(app);
    assert.equal((await t.service(EchoService).echo({ message: "s" })).reply, "registered");
    assert.equal(t.node.inbound.streams.size, 1);
  });
});
