import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { ActrError } from "../../../src/errors.ts";
import { WebRtcPair } from "./webrtc_pair.ts";

const limit = { timeout: 60_000 };

describe("a node whose WebRTC path is lost", () => {
  it("[T-49] refuses calls at once while the connection recovers, with a hint", limit, async () => {
    await using pair = await WebRtcPair.open();
    const { clock } = pair.world;
    assert.equal(await pair.call("a"), "a");
    pair.paths.open = false;
    await clock.advance(1_000);
    const { error, tookMs } = await pair.failure(5_000);
    assert.equal(error.code, "connection_not_ready");
    assert.equal(error.retryAfterMs, 5_300);
    assert.ok(tookMs < 2_000, `${tookMs} ms`);
    const [{ context }, { id: target }] = pair.nodes;
    await assert.rejects(context.streams.send(target, "s1", { payload: Uint8Array.of(1) }), {
      code: "connection_not_ready",
      retryAfterMs: 5_300,
    });
    assert.deepEqual(pair.handled, ["a"]);
  });

  it(
    "[T-34] refuses calls of a failed connection, and a late failure of an old one blocks nothing",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      assert.equal(await pair.call("a"), "a");
      const [one, other] = pair.nodes;
      assert.ok(one.id.serial < other.id.serial, "the callee offers");
      const [mine] = pair.stacks;
      const old = mine.last;
      old.change("failed");
      const { error, tookMs } = await pair.failure(5_000);
      assert.equal(error.code, "connection_not_ready");
      assert.ok(tookMs < 2_000, `${tookMs} ms`);
      assert.deepEqual(pair.handled, ["a"]);
      old.change("connected");
      await pair.world.clock.advance(3_000);
      assert.equal(await pair.call("b", { timeoutMs: 1_900 }), "b");
      old.close();
      assert.equal(await pair.call("c"), "c");
      old.tellLate("failed");
      assert.equal(await pair.call("d", { timeoutMs: 1_900 }), "d");
    },
  );

  it(
    "[T-50] tells by hooks that it recovers, and when it has; what an old connection says tells nothing",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { clock } = pair.world;
      await pair.call("a");
      const [mine] = pair.stacks;
      const old = mine.last;
      old.close();
      await clock.advance(1_000);
      await pair.call("b");
      pair.told.length = 0;
      pair.paths.open = false;
      await clock.advance(1_000);
      assert.deepEqual(pair.told.splice(0), ["disconnected recovering"]);
      for (const state of ["failed", "connected"] as const) old.tellLate(state);
      await clock.advance(200);
      assert.deepEqual(pair.told, []);
      assert.equal((await pair.failure(1_000)).error.code, "connection_not_ready");
      pair.paths.open = true;
      pair.paths.look();
      await clock.advance(1_000);
      assert.deepEqual(pair.told, ["connected connected"]);
      assert.equal(await pair.call("c"), "c");
    },
  );

  it(
    "[T-45] answers again within 20 s of a path that was blocked until it was noticed",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      await pair.call("a");
      pair.paths.open = false;
      await pair.world.clock.advance(100);
      pair.paths.open = true;
      assert.equal(await pair.eventually(20_000), true);
    },
  );

  for (const outageMs of [3_000, 8_000]) {
    it(
      `[T-46] a call in an outage of ${outageMs} ms ends in time, and others succeed after it`,
      limit,
      async () => {
        await using pair = await WebRtcPair.open();
        await pair.call("a");
        pair.paths.open = false;
        assert.ok((await pair.failure(3_000)).tookMs <= 5_000);
        await pair.world.clock.advance(outageMs);
        pair.paths.open = true;
        assert.equal(await pair.eventually(30_000), true);
      },
    );
  }

  for (const from of [0, 1] as const) {
    it(
      `[T-30] after an outage of 8 s that signaling shares, calls by the side that ${from === 0 ? "answered" : "offered"} succeed within 30 s`,
      limit,
      async () => {
        await using pair = await WebRtcPair.open();
        await pair.call("a");
        const { clock, network } = pair.world;
        pair.paths.open = false;
        network.faults.blackhole = true;
        await clock.advance(8_000);
        pair.paths.open = true;
        network.faults.blackhole = false;
        const restoredAt = clock.now();
        await clock.advance(10_000);
        assert.equal(await pair.call("b", { timeoutMs: 10_000, from }), "b");
        assert.ok(clock.now() - restoredAt <= 30_000);
      },
    );
  }

  it(
    "[T-47] a call whose channel closes behind it ends in time, and never hangs",
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      await pair.call("a");
      const [client, callee] = pair.nodes;
      const begunAt = pair.world.clock.now();
      const call = client.context.service(EchoService, callee.id).echo({ message: "b" });
      pair.stacks[0].last.channels.find(({ label }) => label === "RPC_RELIABLE")?.end();
      const ended = await pair.world.clock.through(
        call.then(
          ({ reply }) => reply,
          (error: unknown) => ActrError.from(error).code,
        ),
      );
      assert.ok(["b", "unavailable", "connection_not_ready"].includes(ended), ended);
      assert.ok(pair.world.clock.now() - begunAt < 5_000);
      assert.equal(pair.pending, 0);
    },
  );
});
