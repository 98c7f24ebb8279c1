import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import type { Completion } from "../../../src/inbound/completion.ts";
import type { Joiner, Sighting } from "../../../src/inbound/dedup.ts";
import type { InboundMessage } from "../../../src/inbound/message.ts";
import { Repeats } from "../../../src/inbound/repeats.ts";
import { directions } from "../../../src/protocol/envelope.ts";
import { noMetadata } from "../../../src/protocol/metadata.ts";
import { Peer } from "../../../src/session/peer.ts";
import { peerId } from "../session/support.ts";

const hello = new TextEncoder().encode("hello");
const dedupTtlMs = 30_000;

/** Repeats of one request that is in flight until `complete` is called. */
function rig() {
  const clock = new FakeClock();
  const heard: string[] = [];
  const completion: Pick<Completion, "repeat" | "refuse" | "again"> = {
    repeat: (_message, answer) => void heard.push(new TextDecoder().decode(answer)),
    refuse: (_message, error) => void heard.push(error.code),
    again: () => void heard.push("again"),
  };
  const repeats = new Repeats({ clock, completion: completion as Completion }, { dedupTtlMs });
  const joiners: Joiner[] = [];
  const inFlight: Sighting = { kind: "in_flight", join: (joiner) => joiners.push(joiner) > 0 };
  return {
    clock,
    heard,
    repeats,
    join: (timeoutMs: number, direction: 1 | 3 = directions.request) =>
      repeats.take(message(clock, timeoutMs, direction), inFlight),
    complete(answer: Uint8Array | undefined) {
      for (const joiner of joiners) joiner(answer);
    },
  };
}

function message(clock: FakeClock, timeoutMs: number, direction: 1 | 3): InboundMessage {
  const envelope = {
    routeKey: "a.B.C",
    requestId: "x",
    direction,
    metadata: noMetadata,
    timeoutMs,
  };
  return {
    ...{ envelope, from: new Peer(peerId(2)), link: undefined, priority: 0, size: 0 },
    ...{ arrivedAt: clock.monotonic(), row: undefined, answered: false },
  };
}

describe("a repeat of a request that is being handled", () => {
  it("[N-49] waits for its own deadline, without one for the time that answers are remembered", async () => {
    for (const [timeoutMs, waitMs] of [
      [5_000, 5_000],
      [0, dedupTtlMs],
      [-1, dedupTtlMs],
    ] as const) {
      const world = rig();
      world.join(timeoutMs);
      await world.clock.advance(waitMs - 1);
      assert.deepEqual(world.heard, []);
      await world.clock.advance(10);
      assert.deepEqual(world.heard, ["timed_out"]);
      assert.equal(world.clock.pending, 0);
    }
  });

  it("[N-50] hears the answer, also a late one, as long as its time lasts; then nothing more", async () => {
    const world = rig();
    world.join(5_000);
    await world.clock.advance(4_000);
    world.complete(hello);
    assert.deepEqual(world.heard, ["hello"]);
    await world.clock.advance(60_000);
    world.complete(hello);
    assert.deepEqual(world.heard, ["hello"]);
    const never = rig();
    never.join(50);
    await never.clock.advance(60);
    never.complete(hello);
    assert.deepEqual(never.heard, ["timed_out"]);
  });

  it("is handled as a first one when that came to nothing", () => {
    const world = rig();
    world.join(5_000);
    world.complete(undefined);
    assert.deepEqual(world.heard, ["again"]);
  });

  it("is told when the node stops, unless nobody waits for it", async () => {
    const world = rig();
    world.join(5_000);
    world.join(0, directions.tell);
    world.repeats.close(new ActrError("stopping", "the node stops"));
    assert.deepEqual(world.heard, ["stopping"]);
    assert.equal(world.clock.pending, 0);
  });
});
