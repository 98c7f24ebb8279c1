import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FairQueue } from "../../../src/inbound/fair_queue.ts";
import type { InboundMessage } from "../../../src/inbound/message.ts";
import { Prng } from "../protocol/prng.ts";
import { gate, RemotePeer, rig } from "./support.ts";

interface Sent {
  readonly from: { readonly key: string };
  readonly n: number;
}

/** A queue of messages that are only a sender and a number. */
function queue(share: number) {
  const fair = new FairQueue(share);
  return {
    push: (sender: string, n: number) =>
      fair.push({ from: { key: sender }, n } as unknown as InboundMessage),
    shift: () => fair.shift() as unknown as Sent | undefined,
    size: () => fair.size,
  };
}

describe("fair queue", () => {
  it("keeps the order of arrival while nobody has more than its share in it", () => {
    const line = queue(4);
    const senders = ["a", "b", "a", "c", "a", "b", "a", "c"];
    for (const [n, sender] of senders.entries()) line.push(sender, n);
    assert.deepEqual(
      senders.map(() => line.shift()?.n),
      senders.map((_, n) => n),
    );
  });

  it("a flood delays what others send by one share at most, however long it lasts", () => {
    const line = queue(4);
    for (let n = 0; n < 100; n++) line.push("flood", n);
    line.push("b", 0);
    line.push("b", 1);
    const order = Array.from({ length: 102 }, () => line.shift());
    assert.deepEqual(
      order.flatMap((sent, at) => (sent?.from.key === "b" ? [at] : [])),
      [4, 5],
    );
    assert.equal(line.size(), 0);
    assert.equal(line.shift(), undefined);
  });

  it("random traffic: nothing is lost or doubled, and each sender is heard in order", () => {
    const random = new Prng(11);
    for (let run = 0; run < 50; run++) {
      const line = queue(1 + random.below(6));
      const sent = new Map<string, number>();
      const heard = new Map<string, number>();
      let size = 0;
      for (let step = 0; step < 400; step++) {
        // It grows at first, and shrinks later.
        if (random.below(400) > step) {
          const sender = random.oneIn(3) ? `s${random.below(5)}` : "flood";
          const n = sent.get(sender) ?? 0;
          sent.set(sender, n + 1);
          line.push(sender, n);
          size += 1;
        } else {
          const next = line.shift();
          assert.equal(next === undefined, size === 0);
          if (next === undefined) continue;
          assert.equal(next.n, heard.get(next.from.key) ?? 0);
          heard.set(next.from.key, next.n + 1);
          size -= 1;
        }
        assert.equal(line.size(), size);
      }
    }
  });

  it("a caller is answered in time while another one floods the node", async () => {
    const door = gate();
    const world = await rig({
      handle: (text) => (text === "first" ? door.promise.then(() => text) : text),
      options: { mailbox: { senderShare: 8 } },
    });
    const [flood, other] = [new RemotePeer(world, 2), new RemotePeer(world, 3)];
    await flood.send("first");
    for (let n = 0; n < 200; n++) flood.post(`flood ${n}`);
    await world.clock.settle();
    await other.send("other");
    door.open();
    await world.clock.settle();
    assert.equal(world.handled.indexOf("other"), 9, "after the first one and one share");
    assert.equal(world.handled.length, 202);
  });
});
