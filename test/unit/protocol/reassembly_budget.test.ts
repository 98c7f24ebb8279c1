import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fragmentHeaderBytes, writeFragment } from "../../../src/protocol/fragment.ts";
import {
  fragmentOverheadBytes,
  Reassembler,
  type ReassemblyDrop,
  type ReassemblyLimits,
} from "../../../src/protocol/reassembler.ts";
import { ReassemblyBudget } from "../../../src/protocol/reassembly_budget.ts";
import { mutate, Prng } from "./prng.ts";

const limits: ReassemblyLimits = { maxBytes: 10_000, maxPartials: 8, maxIdleMs: 5_000 };
const cost = 936 + fragmentOverheadBytes;

function fragment(
  id: number,
  index: number,
  count: number,
  slice = new Uint8Array(936),
): Uint8Array {
  const message = new Uint8Array(fragmentHeaderBytes + slice.length);
  writeFragment(message, id, index, count, slice);
  return message;
}

describe("reassembly budget", () => {
  it("makes who holds most give up its oldest message, and no one else", () => {
    const budget = new ReassemblyBudget(6 * cost);
    const drops: ReassemblyDrop[] = [];
    const greedy = new Reassembler(limits, (reason) => drops.push(reason), budget);
    const modest = new Reassembler(limits, () => assert.fail("the modest one loses"), budget);
    modest.accept(fragment(1, 0, 2), 0);
    for (let id = 0; id < 20; id++) greedy.accept(fragment(id, 0, 2), 0);
    assert.equal(budget.heldBytes, 6 * cost);
    assert.deepEqual([modest.partials, greedy.partials, drops.length], [1, 5, 15]);
    assert.ok(drops.every((reason) => reason === "overflow"));
    assert.equal(greedy.accept(fragment(14, 1, 2), 0), undefined, "its oldest is gone");
    assert.equal(modest.accept(fragment(1, 1, 2), 0)?.length, 2 * 936);
  });

  it("gets back what a holder that leaves had held", () => {
    const budget = new ReassemblyBudget(100 * cost);
    const leaving = new Reassembler(limits, () => assert.fail("told of a drop"), budget);
    for (let id = 0; id < 5; id++) leaving.accept(fragment(id, 0, 2), 0);
    leaving.clear();
    assert.deepEqual([budget.heldBytes, leaving.heldBytes, leaving.partials], [0, 0, 0]);
  });

  it("holds with any fragments of many peers, which all get what is whole (seeded)", () => {
    const random = new Prng(0xac7e);
    const budget = new ReassemblyBudget(20_000);
    const peers = Array.from({ length: 8 }, () => new Reassembler(limits, () => {}, budget));
    let whole = 0;
    for (let step = 0, now = 0; step < 20_000; step++, now += random.below(40)) {
      const count = 1 + random.below(4);
      const slice = new Uint8Array(random.below(900)).fill(count);
      const message = fragment(random.below(12), random.below(count), count, slice);
      const hostile = random.oneIn(10) ? mutate(random, message) : message;
      const body = random.pick(peers).accept(hostile, now, random.below(2));
      if (body !== undefined) whole += 1;
      const held = peers.map((peer) => peer.heldBytes);
      assert.ok(Math.max(...held) <= limits.maxBytes && budget.heldBytes <= 20_000);
      assert.equal(
        held.reduce((sum, bytes) => sum + bytes, 0),
        budget.heldBytes,
      );
    }
    assert.ok(whole > 5_000, `${whole} bodies`);
    for (const peer of peers) peer.expire(Number.MAX_SAFE_INTEGER);
    assert.equal(budget.heldBytes, 0);
  });
});
