import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { Dedup } from "../../../src/inbound/dedup.ts";
import { defaultNodeOptions, type InboundOptions } from "../../../src/options.ts";

const hello = new TextEncoder().encode("hello");
const other = new TextEncoder().encode("other");

function open(options: Partial<InboundOptions> = {}, store = new MemoryStore()) {
  const clock = new FakeClock();
  const dedup = new Dedup({ clock, store }, { ...defaultNodeOptions.inbound, ...options });
  const sight = async (requestId: string, caller = "peer") => await dedup.sight(caller, requestId);
  return { clock, store, dedup, sight };
}

type Opened = ReturnType<typeof open>;

/** Joins the request in flight; what it hears goes to the list. */
async function joined({ sight }: Opened, requestId: string): Promise<(Uint8Array | undefined)[]> {
  const heard: (Uint8Array | undefined)[] = [];
  const sighting = await sight(requestId);
  assert.equal(sighting.kind, "in_flight");
  if (sighting.kind === "in_flight") sighting.join((answer) => void heard.push(answer));
  return heard;
}

describe("dedup", () => {
  it("[N-42] the first sight is fresh, a second while it runs is not", async () => {
    const world = open();
    assert.equal((await world.sight("a")).kind, "fresh");
    assert.equal((await world.sight("a")).kind, "in_flight");
  });

  it("[N-43] who joins hears the first one's answer", async () => {
    const world = open();
    await world.sight("a");
    const heard = await joined(world, "a");
    assert.deepEqual(heard, []);
    world.dedup.complete("peer", "a", hello);
    assert.deepEqual(heard, [hello]);
  });

  it("[N-44] what is in flight outlives the time to live and the eviction of others", async () => {
    const world = open({ dedupTtlMs: 1, dedupMaxEntries: 2, dedupMaxBytes: 10 });
    await world.sight("slow");
    await world.clock.advance(60_000);
    for (let n = 0; n < 20; n++) {
      await world.sight(`quick ${n}`);
      world.dedup.complete("peer", `quick ${n}`, hello);
    }
    assert.equal((await world.sight("slow")).kind, "in_flight");
  });

  it("[N-45] remembers for at least 20 s", () => {
    assert.ok(defaultNodeOptions.inbound.dedupTtlMs >= 20_000);
  });

  it("[N-47] forgets an answer when its time is over", async () => {
    const world = open({ dedupTtlMs: 1_000 });
    await world.sight("a");
    world.dedup.complete("peer", "a", hello);
    await world.clock.advance(999);
    assert.deepEqual(await world.sight("a"), { kind: "answered", answer: hello });
    await world.clock.advance(1);
    assert.equal((await world.sight("a")).kind, "fresh");
  });

  it("[N-48] different ids are independent", async () => {
    const world = open();
    await world.sight("a");
    assert.equal((await world.sight("b")).kind, "fresh");
    world.dedup.complete("peer", "a", hello);
    assert.equal((await world.sight("b")).kind, "in_flight");
    world.dedup.complete("peer", "b", other);
    assert.deepEqual(await world.sight("a"), { kind: "answered", answer: hello });
    assert.deepEqual(await world.sight("b"), { kind: "answered", answer: other });
  });

  it("[ND-14] the same id of another caller is another request", async () => {
    const world = open();
    await world.sight("a", "one");
    world.dedup.complete("one", "a", hello);
    assert.equal((await world.sight("a", "two")).kind, "fresh");
    const tricky = open();
    await tricky.sight("b c", "a");
    assert.equal((await tricky.sight("c", "a b")).kind, "fresh");
  });

  it("[ND-15] the time to live begins when the answer is complete", async () => {
    const world = open({ dedupTtlMs: 30_000 });
    await world.sight("a");
    await world.clock.advance(40_000);
    world.dedup.complete("peer", "a", hello);
    await world.clock.advance(29_999);
    assert.equal((await world.sight("a")).kind, "answered");
  });

  it("what failed is handled anew; answers are within caps of number and bytes", async () => {
    const failed = open();
    await failed.sight("a");
    const heard = await joined(failed, "a");
    failed.dedup.complete("peer", "a", undefined);
    assert.deepEqual(heard, [undefined]);
    assert.equal((await failed.sight("a")).kind, "fresh");

    for (const options of [{ dedupMaxEntries: 100 }, { dedupMaxBytes: 100 * hello.length }]) {
      const world = open(options);
      for (let n = 0; n < 1_000; n++) {
        await world.sight(`${n}`);
        world.dedup.complete("peer", `${n}`, hello);
        assert.ok(world.dedup.size <= 100, `${world.dedup.size} answers`);
      }
      assert.deepEqual(await world.sight("999"), { kind: "answered", answer: hello });
      assert.equal((await world.sight("0")).kind, "fresh");
    }
  });

  it("lets a bounded number join", async () => {
    const world = open();
    await world.sight("a");
    let taken = 0;
    for (let n = 0; n < 100; n++) {
      const sighting = await world.sight("a");
      if (sighting.kind === "in_flight" && sighting.join(() => {})) taken += 1;
    }
    assert.equal(taken, 8);
  });

  it("keeps its own copy of an answer", async () => {
    const world = open();
    const answer = Uint8Array.of(1, 2, 3);
    await world.sight("a");
    world.dedup.complete("peer", "a", answer);
    answer.fill(9);
    assert.deepEqual(await world.sight("a"), { kind: "answered", answer: Uint8Array.of(1, 2, 3) });
  });

  it("recalls what an earlier owner of the store answered, until that may have expired", async () => {
    const store = new MemoryStore();
    const before = open({ dedupTtlMs: 1_000 }, store);
    const stored = before.dedup.stored("peer", "a", hello);
    await store.commit([{ kind: "answer.put", answer: stored }]);
    const after = open({ dedupTtlMs: 1_000 }, store.reopen());
    assert.deepEqual(await after.sight("a"), { kind: "answered", answer: hello });
    assert.equal((await after.sight("b")).kind, "fresh");
    await after.clock.advance(1_000);
    assert.equal((await after.sight("a")).kind, "fresh");
  });

  it("is fresh again after the store could not say", async () => {
    const store = new MemoryStore().reopen();
    const world = open({}, store);
    await store.close();
    await assert.rejects(world.sight("a"), { code: "storage" });
    await world.clock.advance(60_000);
    assert.equal((await world.sight("a")).kind, "fresh");
  });
});
