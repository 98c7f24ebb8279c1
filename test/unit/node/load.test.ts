import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testNode } from "@roost/edge/testing";
import type { NodeHealth } from "../../../src/node/health.ts";
import { powerReserve } from "../../../src/node/power_reserve.ts";
import type { SystemLoad } from "../../../src/ports/system_meter.ts";
import { ServiceAvailabilityState as State } from "../../../src/protocol/schema.ts";
import { reportLoad } from "../../../src/signaling/node_load.ts";
import { echoNode } from "./support.ts";

const memory = (share: number) => ({ usedBytes: share, limitBytes: 1 });

describe("load of a node", () => {
  it("[ND-46] is unknown, which counts as idle, when nothing can be measured", () => {
    assert.equal(powerReserve({}), undefined);
    assert.deepEqual(reportLoad({ backlog: 0 }), {
      availability: State.FULL,
      powerReserve: 5,
      mailboxBacklog: 0,
    });
  });

  for (const [load, state] of [
    [{ eventLoopDelayMs: 0 }, State.FULL],
    [{ memory: memory(0.5) }, State.FULL],
    [{ eventLoopDelayMs: 39 }, State.FULL],
    [{ eventLoopDelayMs: 41 }, State.DEGRADED],
    [{ eventLoopDelayMs: 101 }, State.OVERLOADED],
    [{ eventLoopDelayMs: 161 }, State.UNAVAILABLE],
    [{ eventLoopDelayMs: 10_000 }, State.UNAVAILABLE],
    [{ eventLoopDelayMs: 0, memory: memory(0.7) }, State.DEGRADED],
    [{ eventLoopDelayMs: 0, memory: memory(0.85) }, State.OVERLOADED],
    [{ eventLoopDelayMs: 0, memory: memory(2) }, State.UNAVAILABLE],
  ] as const) {
    it(`is graded by what is scarcer: ${JSON.stringify(load)}`, () => {
      const reserve = powerReserve(load) ?? Number.NaN;
      assert.ok(reserve >= 1 && reserve <= 5, `${reserve}`);
      assert.equal(reportLoad({ backlog: 0, powerReserve: reserve }).availability, state);
    });
  }

  it("goes out with the heartbeat, and shows in /health and /metrics", {
    timeout: 60_000,
  }, async () => {
    const load: SystemLoad = { eventLoopDelayMs: 100, memory: { usedBytes: 3, limitBytes: 12 } };
    await using t = await testNode(echoNode(), { components: { meter: { load: () => load } } });
    assert.deepEqual(t.node.load(), { backlog: 0, powerReserve: 3 });
    const health = (await (await t.fetch("/health")).json()) as NodeHealth;
    assert.deepEqual(health.system, {
      eventLoopDelayMs: 100,
      memoryBytes: 3,
      memoryLimitBytes: 12,
    });
    const metrics = await (await t.fetch("/metrics")).text();
    assert.match(metrics, /^roost_event_loop_delay_seconds 0\.1$/m);
    assert.match(metrics, /^roost_memory_bytes 3$/m);
    assert.match(metrics, /^roost_memory_limit_bytes 12$/m);
    await using u = await testNode(echoNode());
    assert.deepEqual(u.node.load(), { backlog: 0 });
    assert.doesNotMatch(await (await u.fetch("/metrics")).text(), /roost_memory/);
  });
});
