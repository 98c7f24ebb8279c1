import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import type { NetworkEvent } from "../../../src/node/network_event.ts";
import { available, cleanup, force, foreground } from "./network_support.ts";
import { gate } from "./support.ts";
import { type Side, WebRtcPair } from "./webrtc_pair.ts";

const limit = { timeout: 60_000 };
const sides = [0, 1] as const;
const roles = ["answered", "offered"] as const;

/** The network is back, by snapshot number `sequence`. */
const wifi = (sequence = 1): NetworkEvent => available(sequence, { transports: ["wifi"] });

/** How a call ends: its reply, or the code of its error. */
function outcome(call: Promise<string>): Promise<string> {
  return call.catch((error: unknown) => ActrError.from(error).code);
}

/** Nothing is left of a node's connections. */
function assertNothingLeft(pair: WebRtcPair, side: Side): void {
  assert.equal(pair.sessionsOf(side), 0);
  assert.equal(pair.pendingOf(side), 0);
  assert.ok(pair.stacks[side].made.every(({ state }) => state === "closed"));
}

describe("a cleanup of WebRTC connections", () => {
  it(
    "[T-38] ends a pending call within a second, and leaves the node able to connect again",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { clock } = pair.world;
      const held = gate();
      pair.handle = async (text) => {
        if (text === "held") await held.promise;
        return text;
      };
      await pair.call("a");
      const call = outcome(pair.begin("held", { timeoutMs: 30_000 }));
      await clock.advance(100);
      const begunAt = clock.now();
      const cleaned = pair.report(0, cleanup);
      assert.equal(await clock.through(call), "unavailable");
      assert.ok(clock.now() - begunAt <= 1_000);
      assert.equal(pair.pending, 0);
      await cleaned;
      held.open();
      await pair.report(0, wifi());
      assert.equal(await pair.eventually(10_000), true);
    },
  );

  for (const side of sides) {
    it(
      `[T-39] during an ICE restart of the side that ${roles[side]} ends within 8 s, and only a later event restores`,
      limit,
      async () => {
        await using pair = await WebRtcPair.open();
        const { clock } = pair.world;
        await pair.call("a", { from: side });
        pair.paths.open = false;
        await clock.advance(1_000);
        assert.equal(pair.sent(0, "restart_request"), 1);
        assert.equal(pair.sent(1, "restart"), 1);
        const [cleaned] = await pair.report(side, cleanup);
        assert.equal(cleaned?.success, true);
        assert.ok((cleaned?.durationMs ?? Number.NaN) <= 8_000);
        assertNothingLeft(pair, side);
        const relayed = pair.relayed[side].length;
        pair.paths.open = true;
        await clock.advance(30_000);
        assertNothingLeft(pair, side);
        assert.equal(pair.relayed[side].length, relayed);
        assert.equal(pair.nodes[side].node.presence.signaling.connected, false);
        await pair.report(side, wifi());
        assert.equal(await pair.eventually(20_000, side), true);
      },
    );
  }

  it(
    "[T-40] while signaling reconnects ends within 8 s, and nothing old comes back by itself",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { world } = pair;
      const { clock } = world;
      await pair.call("a");
      const held = gate();
      pair.handle = () => held.promise.then(() => "late");
      const call = outcome(pair.begin("held", { timeoutMs: 30_000 }));
      await world.stopRendezvous();
      await clock.advance(3_000);
      assert.equal(pair.pending, 1);
      const [cleaned] = await pair.report(0, cleanup);
      assert.equal(cleaned?.success, true);
      assert.ok((cleaned?.durationMs ?? Number.NaN) <= 8_000);
      assert.equal(await call, "unavailable");
      assertNothingLeft(pair, 0);
      held.open();
      pair.handle = (text) => text;
      await world.startRendezvous();
      await clock.advance(120_000);
      assert.equal(pair.nodes[0].node.presence.signaling.connected, false);
      assertNothingLeft(pair, 0);
      await pair.report(0, wifi());
      assert.equal(await pair.eventually(20_000), true);
    },
  );

  it(
    "[T-42] a call 1.6 s after it completes within 8 s, as soon as signaling is back",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { clock } = pair.world;
      const { network, presence } = pair.nodes[0].node;
      await pair.call("a");
      const results = [network.report(foreground(60))];
      await clock.advance(403);
      results.push(network.report(cleanup));
      await clock.advance(1_972 - 403);
      const begunAt = clock.now();
      const call = pair.begin("b", { timeoutMs: 30_000 });
      await clock.advance(2_405 - 1_972 - 400);
      assert.equal(presence.signaling.connected, false);
      results.push(network.report(wifi()));
      await clock.advance(400);
      assert.equal(presence.signaling.connected, true);
      assert.equal(await clock.through(call), "b");
      assert.ok(clock.now() - begunAt < 8_000, `${clock.now() - begunAt} ms`);
      assert.deepEqual(
        (await Promise.all(results)).map(({ action }) => action),
        ["reconnect", "cleanup", "restore"],
      );
    },
  );

  it(
    "[T-44] a call during it ends in time, one after it succeeds, and nothing of the old connection is used",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { clock } = pair.world;
      await pair.call("a");
      const [old] = pair.stacks[0].made;
      const cleaned = pair.report(0, cleanup);
      const begunAt = clock.now();
      assert.notEqual(await clock.through(outcome(pair.begin("during"))), "during");
      assert.ok(clock.now() - begunAt <= 5_000);
      await cleaned;
      assert.deepEqual(pair.handled, ["a"]);
      assertNothingLeft(pair, 0);
      assert.ok((await pair.failure(2_000)).tookMs <= 2_000);
      await pair.report(0, wifi());
      assert.equal(await pair.call("after"), "after");
      assert.equal(pair.sessionsOf(0), 1);
      assert.notEqual(pair.stacks[0].last, old);
    },
  );
});

describe("network events of a node on WebRTC", () => {
  it(
    "[T-5] first calls of both at once end within 8 s, and succeed within 15 s of new connections on both sides",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { clock } = pair.world;
      const begunAt = clock.now();
      const calls = sides.map((from) => outcome(pair.begin(`${from}`, { from })));
      const ended = await clock.through(Promise.all(calls));
      assert.ok(clock.now() - begunAt <= 8_000);
      assert.deepEqual(ended, ["0", "1"]);
      assert.deepEqual(
        pair.stacks.map(({ made }) => made.length),
        [1, 1],
      );
      assert.deepEqual(
        sides.map((side) => pair.pendingOf(side)),
        [0, 0],
      );
      await Promise.all(sides.map((side) => pair.report(side, force, wifi())));
      const restoredAt = clock.now();
      for (const from of sides) assert.equal(await pair.eventually(15_000, from), true);
      assert.ok(clock.now() - restoredAt <= 15_000);
    },
  );

  it(
    "[T-43] that are done before the path is back: calls fail fast at first, and succeed within 20 s",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { clock } = pair.world;
      await pair.call("a");
      pair.paths.open = false;
      await clock.advance(1_000);
      const [back] = await pair.report(0, wifi());
      assert.equal(back?.success, true);
      assert.ok((back?.durationMs ?? Number.NaN) < 3_000);
      const { error, tookMs } = await pair.failure(5_000);
      assert.equal(error.code, "connection_not_ready");
      assert.ok((error.retryAfterMs ?? 0) > 0);
      assert.equal(tookMs, 0);
      await clock.advance(2_000);
      pair.paths.open = true;
      pair.paths.look();
      assert.equal(await pair.eventually(20_000), true);
    },
  );
});
