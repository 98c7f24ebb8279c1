import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import type { NetworkEvent } from "../../../src/node/network_event.ts";
import { available, background, foreground, unavailable, unknown } from "./network_support.ts";
import { type Side, WebRtcPair } from "./webrtc_pair.ts";

const limit = { timeout: 60_000 };
const sides = [0, 1] as const;
const roles = ["answered", "offered"] as const;
const other = (side: Side): Side => (side === 0 ? 1 : 0);

const cellular = (sequence: number) => available(sequence, { transports: ["cellular"] });
const wifi = (sequence: number) => available(sequence, { transports: ["wifi"] });

/** 200 KiB. */
const large = "x".repeat(204_800);

/** What a phone tells while it looks for a network, and finds one in the end. */
const storm: readonly NetworkEvent[] = [
  unavailable(1),
  background,
  cellular(2),
  foreground(5),
  unknown(3),
  unavailable(4),
  wifi(5),
  wifi(6),
  cellular(7),
  unavailable(8),
  available(9),
  wifi(10),
];

/** Sends a large chunk to the other node. */
function sendChunk(pair: WebRtcPair, from: Side): Promise<boolean> {
  const { streams } = pair.nodes[from].context;
  const payload = new TextEncoder().encode(large);
  return streams.send(pair.nodes[other(from)].id, "file", { payload });
}

/** Lets time pass until `work` has ended; how, by the code of its error, and how long that took, milliseconds. */
async function ending(pair: WebRtcPair, work: Promise<unknown>): Promise<[string, number]> {
  const { clock } = pair.world;
  const begunAt = clock.now();
  const ended = work.then(
    () => "ok",
    (error: unknown) => ActrError.from(error).code,
  );
  return [await clock.through(ended), clock.now() - begunAt];
}

/** Whether `work`, repeated every 250 ms, succeeds in time. */
async function eventually(
  pair: WebRtcPair,
  limitMs: number,
  work: () => Promise<unknown>,
): Promise<boolean> {
  const { clock } = pair.world;
  const endsAt = clock.now() + limitMs;
  while (clock.now() <= endsAt) {
    const [outcome] = await ending(pair, work());
    if (outcome === "ok") return clock.now() <= endsAt;
    await clock.advance(250);
  }
  return false;
}

/** Tells a node the storm, `everyMs` milliseconds between any two events; resolves when it has dealt with all of them. */
async function strike(pair: WebRtcPair, side: Side, everyMs: number): Promise<void> {
  const { network } = pair.nodes[side].node;
  const reports: Promise<unknown>[] = [];
  for (const event of storm) {
    reports.push(network.report(event));
    await pair.world.clock.advance(everyMs);
  }
  await pair.world.clock.through(Promise.all(reports));
}

/** Nothing passes between the two for a time, nor do their signals. */
async function outage(pair: WebRtcPair, ms: number): Promise<void> {
  pair.paths.open = false;
  pair.forwards = false;
  await pair.world.clock.advance(ms);
  pair.paths.open = true;
  pair.forwards = true;
}

/** What stale events must not change: how many connections a node has made, signals it has sent, and hooks it has told. */
function facts(pair: WebRtcPair, side: Side): readonly number[] {
  return [pair.stacks[side].made.length, pair.relayed[side].length, pair.told.length];
}

/** Neither node waits for an answer. */
function assertNothingPending(pair: WebRtcPair): void {
  for (const side of sides) assert.equal(pair.pendingOf(side), 0);
}

for (const side of sides) {
  describe(`a storm of network events at the side that ${roles[side]}`, () => {
    it("[T-73] leaves a large call and chunk their time, and nothing pending", limit, async () => {
      await using pair = await WebRtcPair.open();
      const { clock } = pair.world;
      await pair.call("a", { from: side });
      pair.paths.lastFragment = 1;
      const call = ending(pair, pair.begin(large, { timeoutMs: 5_000, from: side }));
      const chunk = ending(pair, sendChunk(pair, side));
      await clock.settle();
      await strike(pair, side, 100);
      pair.paths.lastFragment = Number.POSITIVE_INFINITY;
      const [called, calledMs] = await call;
      const [chunked, chunkedMs] = await chunk;
      assert.deepEqual([called, chunked], ["ok", "ok"]);
      assert.ok(calledMs <= 8_000 && chunkedMs <= 20_000, `${calledMs} ms, ${chunkedMs} ms`);
      assertNothingPending(pair);
      assert.equal(await pair.eventually(15_000, side), true);
    });

    it(
      "[T-84] restarts within 10 s of an outage of 8 s, and calls succeed within 15 s",
      limit,
      async () => {
        await using pair = await WebRtcPair.open();
        const { clock } = pair.world;
        await pair.call("a", { from: side });
        const { last } = pair.stacks[side];
        await outage(pair, 8_000);
        const restoredAt = clock.now();
        const before = pair.sent(1, "restart");
        await strike(pair, side, 20);
        while (pair.sent(1, "restart") === before && clock.now() < restoredAt + 10_000)
          await clock.advance(100);
        assert.ok(pair.sent(1, "restart") > before);
        assert.equal(await pair.eventually(restoredAt + 15_000 - clock.now(), side), true);
        assert.equal(pair.stacks[side].last, last, "the same connection");
      },
    );

    it("[T-84] lets a large call and chunk through after an outage of 8 s", limit, async () => {
      await using pair = await WebRtcPair.open();
      await pair.call("a", { from: side });
      await outage(pair, 8_000);
      await strike(pair, side, 20);
      const call = () => pair.begin(large, { from: side });
      assert.equal(await eventually(pair, 25_000, call), true);
      assert.equal(await eventually(pair, 20_000, () => sendChunk(pair, side)), true);
      assertNothingPending(pair);
    });
  });

  it(
    `[T-74] after an outage of 15 s a chunk of the side that ${roles[side]} ends within 5 s and calls succeed; what the old connection tells is harmless`,
    limit,
    async () => {
      await using pair = await WebRtcPair.open();
      const { clock } = pair.world;
      await pair.call("a", { from: side });
      const old = pair.stacks[side].last;
      await outage(pair, 15_000);
      const restoredAt = clock.now();
      const [, tookMs] = await ending(pair, sendChunk(pair, side));
      assert.ok(tookMs <= 5_000, `${tookMs} ms`);
      assert.equal(await pair.eventually(restoredAt + 15_000 - clock.now(), side), true);
      assert.notEqual(pair.stacks[side].last, old);
      const before = facts(pair, side);
      old.close();
      for (let n = 0; n < 64; n++)
        for (const state of ["disconnected", "failed", "closed", "connected"] as const)
          old.tellLate(state);
      await clock.advance(250);
      assert.equal(await pair.call("after", { from: side }), "after");
      assert.deepEqual(facts(pair, side), before);
      assertNothingPending(pair);
    },
  );
}
