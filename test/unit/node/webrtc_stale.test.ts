import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { available, unavailable } from "./network_support.ts";
import { gate } from "./support.ts";
import { WebRtcPair } from "./webrtc_pair.ts";

const limit = { timeout: 60_000 };
const sides = [0, 1] as const;
const roles = ["answered", "offered"] as const;
const states = ["disconnected", "failed", "connected", "closed"] as const;

describe("a WebRTC connection that recovers", () => {
  for (const side of sides) {
    it(
      `[T-11] carries calls of the side that ${roles[side]} from the very moment that it is told to be connected again`,
      limit,
      async () => {
        await using pair = await WebRtcPair.open();
        const { clock } = pair.world;
        await pair.call("a", { from: side });
        const calls: Promise<string>[] = [];
        pair.onConnected = (connected) => {
          if (connected === side) calls.push(pair.begin("b", { from: side }));
        };
        pair.paths.open = false;
        await clock.advance(1_000);
        pair.paths.open = true;
        pair.paths.look();
        await clock.settle();
        const begunAt = clock.now();
        assert.deepEqual(await clock.through(Promise.all(calls)), ["b"]);
        assert.equal(clock.now(), begunAt);
      },
    );

    it(
      `[T-23] lost for 65 s by the side that ${roles[side]}, ${side === 1 ? "is mended" : "is given up for a new one"} once its network is back`,
      limit,
      async () => {
        await using pair = await WebRtcPair.open();
        const { clock } = pair.world;
        await pair.call("a");
        await pair.report(side, unavailable(1));
        pair.paths.open = false;
        await clock.advance(65_000);
        pair.paths.open = true;
        const backAt = clock.now();
        await pair.report(side, available(2));
        for (const from of [side, side === 0 ? 1 : 0] as const) {
          assert.equal(await pair.eventually(30_000, from), true);
        }
        assert.ok(clock.now() - backAt <= 30_000);
        const made = side === 1 ? 1 : 2;
        assert.deepEqual(
          pair.stacks.map((stack) => stack.made.length),
          [made, made],
        );
        if (side === 0) assert.equal(pair.sent(0, "restart_request"), 0);
        else assert.ok(pair.sent(1, "restart") >= 1);
      },
    );

    it(
      `[T-27] does not begin to recover anew with a second network event of the side that ${roles[side]}`,
      limit,
      async () => {
        await using pair = await WebRtcPair.open();
        const { clock } = pair.world;
        await pair.call("a", { from: side });
        pair.paths.open = false;
        // Each side has done what the loss itself calls for.
        await clock.advance(2_100);
        await pair.report(side, available(1));
        const [told, relayed] = [pair.told.length, pair.relayed[side].length];
        const first = await pair.failure(5_000, side);
        await clock.advance(1_600);
        await pair.report(side, available(2));
        const second = await pair.failure(5_000, side);
        const kinds = pair.relayed[side].slice(relayed);
        assert.deepEqual(kinds, []);
        assert.equal(pair.told.length, told);
        for (const { error } of [first, second]) assert.equal(error.code, "connection_not_ready");
        assert.equal((first.error.retryAfterMs ?? 0) - (second.error.retryAfterMs ?? 0), 2_000);
      },
    );
  }

  it(
    "[T-36] blocks calls until it ends; then the next one connects within 5 s",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { clock } = pair.world;
      await pair.call("a");
      pair.paths.open = false;
      await clock.advance(1_000);
      const { error } = await pair.failure(5_000);
      assert.equal(error.code, "connection_not_ready");
      const [old] = pair.stacks[0].made;
      old?.close();
      pair.paths.open = true;
      const begunAt = clock.now();
      assert.equal(await pair.call("b", { timeoutMs: 5_000 }), "b");
      assert.ok(clock.now() - begunAt <= 5_000);
      assert.notEqual(pair.stacks[0].last, old);
    },
  );
});

describe("a WebRTC connection that is over", () => {
  it("[T-33] does not end a call that another carries", limit, async () => {
    await using pair = await WebRtcPair.open();
    const { clock } = pair.world;
    await pair.call("a");
    const [old] = pair.stacks[0].made;
    old?.close();
    await clock.advance(1_000);
    const held = gate();
    pair.handle = () => held.promise.then(() => "answered");
    const call = pair.begin("b", { timeoutMs: 30_000 });
    await clock.advance(1_000);
    assert.equal(pair.pending, 1);
    for (const state of states) old?.tellLate(state);
    await clock.advance(5_000);
    assert.equal(pair.pending, 1);
    held.open();
    assert.equal(await clock.through(call), "answered");
    assert.deepEqual(pair.handled, ["a", "b"]);
    assert.equal(pair.stacks[0].made.length, 2);
  });

  it(
    "[T-41] after an outage of 10 s: what it still tells harms neither the new one nor its calls",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { clock, network } = pair.world;
      await pair.call("a");
      pair.paths.open = false;
      network.faults.blackhole = true;
      await clock.advance(10_000);
      // It is too old to wait for: gone with this call.
      assert.equal((await pair.failure(1_000)).error.code, "connection_not_ready");
      pair.paths.open = true;
      network.faults.blackhole = false;
      assert.equal(await pair.eventually(30_000), true);
      const fresh = pair.stacks.map(({ last }) => last);
      for (const state of states) {
        for (const { made } of pair.stacks) made[0]?.tellLate(state);
        assert.equal(await pair.call(state, { timeoutMs: 10_000 }), state);
        assert.equal(await pair.call(state, { timeoutMs: 10_000, from: 1 }), state);
      }
      assert.deepEqual(
        pair.stacks.map(({ last }) => last),
        fresh,
      );
      assert.ok(fresh.every(({ state }) => state === "connected"));
    },
  );
});
