import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "@roost/edge/client";
import { runningModule } from "../../adapters/running.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { EchoService } from "../../examples/echo/echo_pb.ts";
import { defineNode, type NodeDefinition, service } from "../../src/mod.ts";
import { until } from "../fixtures/until.ts";

const mebibyte = 1024 * 1024;
const chunkBytes = 64 * 1024;

/** Most that may be under way to a reader that does not read: what both ends and the system hold. */
const maxUnderWay = 48 * mebibyte;

async function serve(definition: NodeDefinition): Promise<Served> {
  const running = await runningModule();
  return running.serve(definition, { port: 0, log: running.silentLogger() });
}

function echoNode(): NodeDefinition {
  const echo = service(EchoService, { handlers: { echo: ({ message }) => ({ reply: message }) } });
  return defineNode({ services: [echo] });
}

/** A chunk that says which one it is. */
function numbered(n: number): Uint8Array {
  const chunk = new Uint8Array(chunkBytes);
  new DataView(chunk.buffer).setUint32(0, n);
  return chunk;
}

function numberOf({ payload }: { readonly payload: Uint8Array }): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

describe("streams over real WebSockets", () => {
  it("go to a node, and back to a client that listens nowhere", async () => {
    const echo = service(EchoService, {
      handlers: {
        async echo({ message }, { streams, callerId }) {
          const upload = streams.receive(message, { from: callerId });
          const writer = await streams.open(callerId, message);
          void (async () => {
            for await (const { payload } of upload) await writer.write(payload);
            await writer.close();
          })();
          return { reply: "ready" };
        },
      },
    });
    await using node = await serve(defineNode({ services: [echo] }));
    await using peer = await connect(node.url);
    const { streams } = peer.context;
    const back = streams.receive("file", { from: node.id });
    await peer.service(EchoService, node.id).echo({ message: "file" });
    const count = 100;
    const writing = (async () => {
      await using writer = await streams.open(node.id, "file");
      for (let n = 0; n < count; n++) await writer.write(numbered(n));
    })();
    const heard: number[] = [];
    for await (const chunk of back) heard.push(numberOf(chunk));
    await writing;
    assert.deepEqual(
      heard,
      Array.from({ length: count }, (_, n) => n),
    );
    assert.equal(node.node.outbound.sessions.size, 1, "one connection carried all of it");
  });

  it("[N-161] a reader that stops holds its writer, not other peers, and gets everything in the end", async () => {
    await using node = await serve(echoNode());
    await using peer = await connect(node.url);
    await using other = await connect(node.url);
    const reader = node.context.streams.receive("big", { from: peer.id });
    const total = (64 * mebibyte) / chunkBytes;
    let written = 0;
    const writing = (async () => {
      await using writer = await peer.context.streams.open(node.id, "big");
      for (; written < total; written++) await writer.write(numbered(written));
    })();
    await until("the connection is held", () => node.node.inbound.streams.tally.held > 0, 20_000);
    await pause(300);
    assert.ok(written * chunkBytes < maxUnderWay, `${written} chunks left unread`);
    const { reply } = await other.service(EchoService, node.id).echo({ message: "hi" });
    assert.equal(reply, "hi");
    let expected = 0;
    for await (const chunk of reader) {
      assert.equal(numberOf(chunk), expected);
      expected += 1;
      assert.ok((written - expected) * chunkBytes < maxUnderWay);
    }
    await writing;
    assert.equal(expected, total);
  });

  it("calls pass a stream that lags a little", async () => {
    await using node = await serve(echoNode());
    await using peer = await connect(node.url);
    const reader = node.context.streams.receive("little", { from: peer.id });
    await using writer = await peer.context.streams.open(node.id, "little");
    for (let n = 0; n < 32; n++) await writer.write(numbered(n));
    const { reply } = await peer.service(EchoService, node.id).echo({ message: "hi" });
    assert.equal(reply, "hi");
    assert.equal(node.node.inbound.streams.tally.held, 0);
    assert.equal(numberOf((await reader.next()).value), 0);
  });
});
