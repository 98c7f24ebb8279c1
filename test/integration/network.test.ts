import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode, type NetworkEvent, service } from "@roost/edge";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { runningModule } from "../../adapters/running.ts";
import type { NodeHealth } from "../../src/node/health.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";

const log = silentLogger();
const { serve, connect } = await runningModule();
const type = "test:Probe:1.0.0";
const app = defineNode({
  type,
  services: [
    service(ProbeService, { handlers: { echo: ({ data }) => ({ data }), wait: () => ({}) } }),
  ],
});

/** A node on a real port, and a peer that has called it. */
async function linked() {
  const served = await serve(app, { port: 0, hostname: "127.0.0.1", log });
  const peer = await connect(served.url, { log });
  const probe = peer.service(ProbeService, type);
  const call = async () => await probe.echo({ data: new Uint8Array(3) });
  await call();
  const close = async (): Promise<void> => {
    await peer.close();
    await served.stop();
  };
  return { served, peer, call, [Symbol.asyncDispose]: close };
}

describe("network events over real sockets", () => {
  it("are answered, and calls go on after each", { timeout: 30_000 }, async () => {
    await using t = await linked();
    const events: readonly NetworkEvent[] = [
      { kind: "path", sequence: 1, availability: "available" },
      { kind: "foreground", backgroundMs: 5 },
      { kind: "reconnect", reason: "manual" },
    ];
    for (const event of events) {
      const { success, error } = await t.peer.network.report(event);
      assert.equal(success, true, error?.message);
      await t.call();
    }
  });

  it("calls fail fast while the network is gone, and succeed when it is back", {
    timeout: 30_000,
  }, async () => {
    await using t = await linked();
    const gone = await t.peer.network.report({
      kind: "path",
      sequence: 1,
      availability: "unavailable",
    });
    assert.equal(gone.action, "offline");
    await assert.rejects(t.call(), { code: "connection_not_ready" });
    const back = await t.peer.network.report({
      kind: "path",
      sequence: 2,
      availability: "available",
    });
    assert.equal(back.success, true, back.error?.message);
    await t.call();
  });

  it("a served node knows its load", { timeout: 30_000 }, async () => {
    await using t = await linked();
    const { system } = (await (await fetch(`${t.served.url}/health`)).json()) as NodeHealth;
    assert.ok((system.memoryBytes ?? 0) > 0 && system.eventLoopDelayMs !== null);
    const { powerReserve = 0 } = t.served.node.load();
    assert.ok(powerReserve >= 1 && powerReserve <= 5);
    const metrics = await (await fetch(`${t.served.url}/metrics`)).text();
    assert.match(metrics, /^roost_event_loop_delay_seconds \d/m);
  });
});
