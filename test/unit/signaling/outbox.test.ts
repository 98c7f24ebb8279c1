import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { Outbox } from "../../../src/signaling/outbox.ts";

const always = () => true;

function setUp() {
  const clock = new FakeClock();
  const sent: number[] = [];
  const destination = { send: (data: Uint8Array) => void sent.push(data[0] ?? 0) };
  const outbox = new Outbox(clock);
  const send = (number: number, again?: () => boolean): void =>
    outbox.send(destination, Uint8Array.of(number), again);
  return { clock, sent, outbox, send };
}

describe("outbox of signaling", () => {
  it("sends everything at once as long as nothing is dropped", () => {
    const { clock, sent, outbox, send } = setUp();
    for (let number = 0; number < 1_000; number++) send(number % 256, always);
    assert.equal(sent.length, 1_000);
    assert.deepEqual([outbox.delayMs, clock.pending], [0, 0]);
  });

  it("sends again what may be lost and is wanted still, as fast as the server takes it, behind what is new", async () => {
    const { clock, sent, outbox, send } = setUp();
    send(1, always);
    await clock.advance(3_001);
    send(2, always);
    send(3);
    send(4, () => false);
    send(5, always);
    sent.length = 0;
    outbox.dropped("Too many messages. Limit: 10 messages/second");
    send(6);
    assert.deepEqual(sent, []);
    await clock.advance(1_112);
    assert.deepEqual(sent, [6, 2, 5]);
    assert.equal(clock.pending, 0);
    const start = clock.monotonic();
    for (let number = 10; number < 19; number++) send(number);
    assert.ok(outbox.delayMs > 800, `${outbox.delayMs} ms`);
    while (sent.length < 12) await clock.advance(1);
    const ms = clock.monotonic() - start;
    assert.ok(ms > 800 && ms < 1_000, `nine messages in ${ms} ms`);
  });

  it("goes by the usual rate where the server tells none, and by a message in a second at least", async () => {
    for (const [reason, messages] of [
      ["no more", 9],
      ["Limit: 0 messages", 9],
      ["Limit: 1 messages", 1],
      ["Limit: 999999999", 9],
    ] as const) {
      const { clock, sent, outbox, send } = setUp();
      send(0);
      outbox.dropped(reason);
      for (let number = 0; number < 20; number++) send(number);
      await clock.advance(1_120);
      assert.ok(Math.abs(sent.length - 1 - messages) <= 1, `${reason}: ${sent.length - 1}`);
      outbox.clear();
    }
  });

  it("keeps little of what has left, and nothing over the end of the connection", async () => {
    const { clock, sent, outbox, send } = setUp();
    for (let number = 0; number < 1_000; number++) send(1, always);
    sent.length = 0;
    outbox.dropped("Limit: 100000");
    await clock.advance(1_000);
    assert.equal(sent.length, 256);
    send(2, always);
    await clock.advance(3_001);
    sent.length = 0;
    outbox.dropped("");
    await clock.advance(1_000);
    assert.deepEqual(sent, [], "what left long ago is not what was dropped");
    send(3, always);
    outbox.dropped("");
    outbox.clear();
    assert.equal(clock.pending, 0);
    sent.length = 0;
    send(4);
    send(5);
    assert.deepEqual(sent, [4, 5], "the next connection is another one");
  });
});
