import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { ActrError } from "../../../src/errors.ts";
import { Dedup } from "../../../src/inbound/dedup.ts";
import { defaultNodeOptions, type InboundOptions } from "../../../src/options.ts";
import { directions, encodeEnvelope } from "../../../src/protocol/envelope.ts";
import { toWireError } from "../../../src/protocol/wire_error.ts";

const hello = new TextEncoder().encode("hello");
const other = new TextEncoder().encode("other");

function open(options: Partial<InboundOptions> = {}, clock = new FakeClock()) {
  const dedup = new Dedup(clock, { ...defaultNodeOptions.inbound, ...options });
  const sight = (requestId: string, caller = "peer") => dedup.sight(caller, requestId);
  return { clock, dedup, sight };
}

type Opened = ReturnType<typeof open>;

/** Joins the request in flight; what it hears goes to the list. */
async function joined({ sight }: Opened, requestId: string): Promise<(Uint8Array | undefined)[]> {
  const heard: (Uint8Array | undefined)[] = [];
  const sighting = sight(requestId);
  assert.equal(sighting.kind, "in_flight");
  if (sighting.kind === "in_flight") sighting.join((answer) => void heard.push(answer));
  return heard;
}

describe("dedup", () => {
  it("[N-42] the first sight is fresh, a second while it runs is not", async () => {
    const world = open();
    assert.equal(world.sight("a").kind, "fresh");
    assert.equal(world.sight("a").kind, "in_flight");
  });

  it("[N-43] who joins hears the first one's answer", async () => {
    const world = open();
    world.sight("a");
    const heard = await joined(world, "a");
    assert.deepEqual(heard, []);
    world.dedup.complete("peer", "a", hello);
    assert.deepEqual(heard, [hello]);
  });

  it("[N-44] what is in flight outlives the time to live and the eviction of others", async () => {
    const world = open({ dedupTtlMs: 1, dedupMaxEntries: 2, dedupMaxBytes: 10 });
    world.sight("slow");
    await world.clock.advance(60_000);
    for (let n = 0; n < 20; n++) {
      world.sight(`quick ${n}`);
      world.dedup.complete("peer", `quick ${n}`, hello);
    }
    assert.equal(world.sight("slow").kind, "in_flight");
  });

  it("[N-45] remembers for at least 20 s", () => {
    assert.ok(defaultNodeOptions.inbound.dedupTtlMs >= 20_000);
  });

  it("gives answers of any length back as they were, also where earlier ones have made room", async () => {
    const world = open({ dedupMaxBytes: 1_000_000 });
    const lengths = [0, 1, 1_024, 1_025, 65_535, 65_536, 65_537, 200_000];
    const answerOf = (round: number, length: number): Uint8Array =>
      Uint8Array.from({ length }, (_, at) => (at * 7 + round * 31 + length) & 0xff);
    const kept: [before: Uint8Array, now: Uint8Array][] = [];
    for (let round = 0; round < 12; round++) {
      for (const length of lengths) {
        const id = `${round} ${length}`;
        world.sight(id);
        world.dedup.complete("peer", id, answerOf(round, length));
      }
      for (const length of lengths) {
        const sighting = world.sight(`${round} ${length}`);
        const expected = answerOf(round, length);
        assert.deepEqual(sighting, { kind: "answered", answer: expected }, `${round} ${length}`);
        if (sighting.kind === "answered") kept.push([expected, sighting.answer]);
      }
    }
    assert.equal(world.sight("0 200000").kind, "fresh", "the room of the first was needed");
    for (const [before, now] of kept) assert.deepEqual(now, before, "it may still be on its way");
  });

  it("[N-47] forgets an answer when its time is over", async () => {
    const world = open({ dedupTtlMs: 1_000 });
    world.sight("a");
    world.dedup.complete("peer", "a", hello);
    await world.clock.advance(999);
    assert.deepEqual(world.sight("a"), { kind: "answered", answer: hello });
    await world.clock.advance(1);
    assert.equal(world.sight("a").kind, "fresh");
  });

  it("[N-48] different ids are independent", async () => {
    const world = open();
    world.sight("a");
    assert.equal(world.sight("b").kind, "fresh");
    world.dedup.complete("peer", "a", hello);
    assert.equal(world.sight("b").kind, "in_flight");
    world.dedup.complete("peer", "b", other);
    assert.deepEqual(world.sight("a"), { kind: "answered", answer: hello });
    assert.deepEqual(world.sight("b"), { kind: "answered", answer: other });
  });

  it("[ND-14] the same id of another caller is another request", async () => {
    const world = open();
    world.sight("a", "one");
    world.dedup.complete("one", "a", hello);
    assert.equal(world.sight("a", "two").kind, "fresh");
    const tricky = open();
    tricky.sight("b c", "a");
    assert.equal(tricky.sight("c", "a b").kind, "fresh");
  });

  it("[ND-15] the time to live begins when the answer is complete", async () => {
    const world = open({ dedupTtlMs: 30_000 });
    world.sight("a");
    await world.clock.advance(40_000);
    world.dedup.complete("peer", "a", hello);
    await world.clock.advance(29_999);
    assert.equal(world.sight("a").kind, "answered");
  });

  it("what failed is handled anew; answers are within caps of number and bytes", async () => {
    const failed = open();
    failed.sight("a");
    const heard = await joined(failed, "a");
    failed.dedup.complete("peer", "a", undefined);
    assert.deepEqual(heard, [undefined]);
    assert.equal(failed.sight("a").kind, "fresh");

    for (const options of [{ dedupMaxEntries: 100 }, { dedupMaxBytes: 100 * hello.length }]) {
      const world = open(options);
      for (let n = 0; n < 1_000; n++) {
        world.sight(`${n}`);
        world.dedup.complete("peer", `${n}`, hello);
        assert.ok(world.dedup.size <= 100, `${world.dedup.size} answers`);
      }
      assert.deepEqual(world.sight("999"), { kind: "answered", answer: hello });
      assert.equal(world.sight("0").kind, "fresh");
    }
  });

  it("lets a bounded number join", async () => {
    const world = open();
    world.sight("a");
    let taken = 0;
    for (let n = 0; n < 100; n++) {
      const sighting = world.sight("a");
      if (sighting.kind === "in_flight" && sighting.join(() => {})) taken += 1;
    }
    assert.equal(taken, 8);
  });

  it("keeps its own copy of an answer", async () => {
    const world = open();
    const answer = Uint8Array.of(1, 2, 3);
    world.sight("a");
    world.dedup.complete("peer", "a", answer);
    answer.fill(9);
    assert.deepEqual(world.sight("a"), { kind: "answered", answer: Uint8Array.of(1, 2, 3) });
  });
});

/** A dedup whose answers are stored, in the way of a node. */
function openStored(options: Partial<InboundOptions> = {}) {
  const world = open(options);
  const store = new MemoryStore();
  const complete = async (requestId: string, answer = hello): Promise<void> => {
    world.sight(requestId);
    const put = world.dedup.store("peer", requestId, answer);
    const outdated = world.dedup.outdated(put);
    await store.commit(outdated === undefined ? [put] : [put, outdated]);
    world.dedup.complete("peer", requestId, answer, put.answer.seq);
  };
  const stored = async () => (await store.answers(0, 9_999)).map(({ requestId }) => requestId);
  return { ...world, store, complete, stored };
}

describe("dedup in the store", () => {
  it("knows what an earlier owner of the store answered, until that expires", async () => {
    const before = openStored({ dedupTtlMs: 1_000 });
    await before.complete("a");
    await before.clock.advance(400);
    await before.complete("b", other);
    const after = open({ dedupTtlMs: 1_000 }, before.clock);
    await after.dedup.recover(before.store.reopen());
    assert.deepEqual(after.sight("a"), { kind: "answered", answer: hello });
    await after.clock.advance(600);
    assert.equal(after.sight("a").kind, "fresh");
    assert.deepEqual(after.sight("b"), { kind: "answered", answer: other });
    assert.equal(after.sight("c").kind, "fresh");
  });

  it("recovers answers page by page, and numbers new ones above them", async () => {
    const before = openStored();
    for (let n = 0; n < 1_024 + 1; n++) await before.complete(`${n}`);
    const after = open({}, before.clock);
    await after.dedup.recover(before.store);
    assert.equal(after.dedup.size, 1_025);
    assert.deepEqual(after.sight("1024"), { kind: "answered", answer: hello });
    assert.equal(after.dedup.store("peer", "next", hello).answer.seq, 1_026);
  });

  it("the last answer under an id is the one that is recovered", async () => {
    const before = openStored({ dedupTtlMs: 1_000 });
    await before.complete("a");
    await before.clock.advance(1_000);
    await before.complete("a", other);
    const after = open({ dedupTtlMs: 1_000 }, before.clock);
    await after.dedup.recover(before.store);
    assert.deepEqual(after.sight("a"), { kind: "answered", answer: other });
  });

  it("the store holds no more than memory does, but for the few that go next", async () => {
    const world = openStored({ dedupMaxEntries: 1_000 });
    for (let n = 0; n < 5_000; n++) {
      await world.complete(`${n}`);
      if (n % 100 !== 0) continue;
      const stored = await world.stored();
      assert.ok(stored.length <= 1_000 + 64, `${stored.length} answers`);
      for (let back = 0; back < Math.min(n, 500); back += 50) {
        assert.ok(stored.includes(`${n - back}`), `${n - back} of ${n}`);
      }
    }
  });

  it("the store is within bytes, also when large answers follow many small ones", async () => {
    const world = openStored({ dedupMaxEntries: 4_000, dedupMaxBytes: 1_000_000 });
    for (let n = 0; n < 4_000; n++) await world.complete(`small ${n}`);
    for (let n = 0; n < 1_000; n++) {
      await world.complete(`large ${n}`, new Uint8Array(5_000));
      const answers = await world.store.answers(0, 9_999);
      const bytes = answers.reduce((sum, { response }) => sum + response.length, 0);
      assert.ok(bytes <= 1_500_000, `${bytes} bytes after ${n}`);
    }
  });

  it("what has expired goes from the store in the end, a page at a time", async () => {
    const world = openStored({ dedupTtlMs: 1_000 });
    for (let n = 0; n < 1_500; n++) await world.complete(`${n}`);
    const expire = async (): Promise<number> => {
      const changes = [...world.dedup.expire()];
      for (const change of changes) await world.store.commit([change]);
      return changes.length;
    };
    await world.clock.advance(999);
    await expire();
    assert.equal((await world.stored()).length, 1_500);
    await world.clock.advance(1);
    await expire();
    await world.clock.advance(1_000);
    assert.equal(await expire(), 2);
    assert.deepEqual(await world.stored(), []);
    assert.equal(world.dedup.size, 0);
  });

  it("what a long life has deleted already is not deleted again", async () => {
    const { clock, dedup } = open({ dedupTtlMs: 1_000 });
    const store = new MemoryStore();
    const answer = { caller: "peer", requestId: "a", response: hello, expiresAt: clock.now() };
    await store.commit([{ kind: "answer.put", answer: { ...answer, seq: 10_000_000 } }]);
    await dedup.recover(store);
    await clock.advance(1_000);
    assert.deepEqual([...dedup.expire()], []);
    await clock.advance(1_000);
    assert.deepEqual([...dedup.expire()], [{ kind: "answer.forget", through: 10_000_000 }]);
  });

  it("a failure is forgotten in the store as well, a success nowhere", async () => {
    const world = openStored();
    const error = new ActrError("not_found", "no such thing");
    const envelope = { routeKey: "r", requestId: "a", metadata: [], timeoutMs: 0 };
    const direction = directions.response;
    await world.complete("ok", encodeEnvelope({ ...envelope, direction, payload: hello }));
    const failure = encodeEnvelope({ ...envelope, direction, error: toWireError(error) });
    await world.complete("failed", failure);
    assert.deepEqual(world.dedup.forgetFailure("peer", "ok"), []);
    assert.deepEqual(world.dedup.forgetFailure("peer", "unknown"), []);
    await world.store.commit(world.dedup.forgetFailure("peer", "failed"));
    assert.deepEqual(await world.stored(), ["ok"]);
    assert.equal(world.sight("failed").kind, "fresh");
    assert.equal(world.sight("ok").kind, "answered");
  });
});
