import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode, forward, service } from "@roost/edge";
import { runningModule } from "../../adapters/running.ts";
import type { Peer, Served, ServeOptions } from "../../adapters/serve/options.ts";
import { TailService } from "../../examples/tail/tail_pb.ts";
import type { NodeDefinition } from "../../src/define.ts";
import { until } from "../fixtures/until.ts";

const type = "acme:TailService:1.0.0";

/** How far the handler has come, and why it ended. */
const state = { given: 0, ended: 0 };

const app = defineNode({
  type,
  services: [
    service(TailService, {
      handlers: {
        append: () => ({}),
        async *follow({ line }) {
          try {
            for (state.given = 0; state.given < line; state.given += 1) {
              yield { text: "x".repeat(1_000) };
            }
          } finally {
            state.ended += 1;
          }
        },
      },
    }),
  ],
});

async function serve(served: NodeDefinition, options: ServeOptions = {}): Promise<Served> {
  const { serve, silentLogger } = await runningModule();
  return await serve(served, { port: 0, log: silentLogger(), ...options });
}

async function connect(url: string): Promise<Peer> {
  const { connect, silentLogger } = await runningModule();
  return await connect(url, { log: silentLogger() });
}

describe("streams as answers over real WebSockets, to a client that listens nowhere", () => {
  it("wait for a slow reader, whom calls pass, and come whole, also through another node", async () => {
    await using node = await serve(app);
    const gateway = defineNode({
      type: "acme:Gateway:1.0.0",
      services: [forward(TailService, type)],
    });
    await using between = await serve(gateway, { identity: node.identity });
    await using peer = await connect(node.url);
    for (const target of [node.id, between.id]) {
      const tail = peer.service(TailService, target);
      const lines = tail.follow({ line: 1_000 }, { windowBytes: 16_384 });
      await lines.next();
      await tail.append({ text: "beside" });
      const ahead = state.given;
      // The window of each hop: this one's, and between two nodes 256 KiB.
      assert.ok(ahead < 400, `${ahead} given ahead`);
      let read = 1;
      for await (const { text } of lines) {
        assert.equal(text.length, 1_000);
        read += 1;
      }
      assert.equal(read, 1_000);
    }
    assert.equal(state.ended, 2);
  });

  it("end when the client goes away without a word", async () => {
    await using node = await serve(app);
    const peer = await connect(node.url);
    const before = state.ended;
    const lines = peer.service(TailService, node.id).follow({ line: 1_000_000 });
    await lines.next();
    await peer.close();
    await assert.rejects(async () => {
      for await (const _ of lines);
    });
    await until("the handler ends", () => state.ended > before, 5_000);
  });
});
