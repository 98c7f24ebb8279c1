import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { queue } from "../../../src/actor.ts";
import { Heap } from "../../../src/host/heap.ts";
import type { HeldMessage } from "../../../src/host/queues/held_message.ts";
import { MessageIndex } from "../../../src/host/queues/message_index.ts";
import type { QueueRow } from "../../../src/host/queues/queue_row.ts";
import { ReceivedMessage } from "../../../src/host/queues/received_message.ts";

/** Counts how often any message is looked at. */
class Looks {
  count = 0;

  message(index: MessageIndex, seq: number, name = "a"): HeldMessage {
    const row: QueueRow = {
      seq,
      name,
      body: new Uint8Array([0xf6]),
      sentAt: 0,
      availableAt: 0,
      attempts: 0,
    };
    const looked = (): void => {
      this.count += 1;
    };
    return {
      get row() {
        looked();
        return row;
      },
      lane: index.lane(name),
      dueAt: 0,
      place: 0,
      status: "ready",
    };
  }
}

function indexOf(clock = new FakeClock()): { index: MessageIndex; held: HeldMessage[] } {
  const held: HeldMessage[] = [];
  const definitions = { a: queue<null>(), b: queue<null>() };
  const index: MessageIndex = new MessageIndex(definitions, clock, {
    handOut(message, completable) {
      held.push(message);
      if (completable) index.claim(message, clock.now() + 30_000);
      return new ReceivedMessage({ message, row: message.row }, undefined);
    },
    lapsed() {},
    unclaimed() {},
  });
  return { index, held };
}

/** What one send, receive and completion costs while `waiting` others stay in the queues. */
function cost(waiting: number, completable: boolean): number {
  const clock = new FakeClock();
  const { index, held } = indexOf(clock);
  const looks = new Looks();
  for (let seq = 1; seq <= waiting; seq++) {
    index.add(looks.message(index, seq, seq % 2 === 0 ? "a" : "b"), clock.now());
  }
  looks.count = 0;
  index.add(looks.message(index, waiting + 1), clock.now());
  index.take({ lanes: index.lanes(), count: 1, completable });
  for (const message of held) if (completable) index.release(message);
  return looks.count;
}

describe("the index of an actor's messages", () => {
  for (const completable of [false, true]) {
    const kind = completable ? "kept" : "deleted";
    it(`costs the same however many wait, for messages that are ${kind} [HD-23]`, () => {
      assert.equal(cost(10_000, completable), cost(10, completable));
    });
  }

  it("has one timer for all that are delayed or claimed", () => {
    const clock = new FakeClock();
    const { index } = indexOf(clock);
    const looks = new Looks();
    for (let seq = 1; seq <= 100; seq++) {
      index.add(looks.message(index, seq), clock.now() + 1000 - seq);
      index.add(looks.message(index, 1000 + seq), clock.now());
    }
    index.take({ lanes: index.lanes(), count: 100, completable: true });
    assert.equal(clock.pending, 1);
    assert.equal(clock.nextAt, clock.now() + 900);
    index.close();
    assert.equal(clock.pending, 0);
  });

  it("hands out by age what became available in any order", async () => {
    const clock = new FakeClock();
    const { index, held } = indexOf(clock);
    const looks = new Looks();
    for (const [seq, delayMs] of [
      [1, 30],
      [2, 10],
      [3, 0],
      [4, 20],
    ] as const) {
      index.add(looks.message(index, seq), clock.now() + delayMs);
    }
    await clock.advance(30);
    index.take({ lanes: index.lanes(), count: 9, completable: false });
    assert.deepEqual(
      held.map(({ row }) => row.seq),
      [1, 2, 3, 4],
    );
  });
});

describe("a heap", () => {
  it("gives the first, and lets go of any element", () => {
    const random = new SeededRandom(7);
    const heap = new Heap<{ readonly value: number; place: number }>((a, b) => a.value < b.value);
    const kept = new Set<{ readonly value: number; place: number }>();
    for (let n = 0; n < 300; n++) {
      const element = { value: Math.floor(random.next() * 1000), place: 0 };
      heap.push(element);
      kept.add(element);
      const [oldest] = kept;
      if (n % 3 !== 0 || oldest === undefined) continue;
      heap.remove(oldest);
      kept.delete(oldest);
    }
    assert.equal(heap.size, kept.size);
    const values: number[] = [];
    for (let next = heap.shift(); next !== undefined; next = heap.shift()) values.push(next.value);
    const expected = [...kept].map(({ value }) => value).sort((a, b) => a - b);
    assert.deepEqual(values, expected);
  });
});
