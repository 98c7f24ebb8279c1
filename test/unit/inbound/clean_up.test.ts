import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { CleanUp } from "../../../src/inbound/clean_up.ts";
import { Dedup } from "../../../src/inbound/dedup.ts";
import { defaultNodeOptions } from "../../../src/options.ts";
import type { DeadLetter } from "../../../src/ports/store.ts";

const options = {
  ...defaultNodeOptions.inbound,
  cleanUpMs: 1_000,
  dedupTtlMs: 2_000,
  deadLetterTtlMs: 5_000,
  deadLetterMaxEntries: 2,
};

function letter(id: string, createdAt: number): DeadLetter {
  return {
    id,
    messageId: null,
    from: null,
    to: null,
    rawBytes: new Uint8Array([1]),
    reason: "test",
    category: "protobuf_decode",
    traceId: id,
    requestId: null,
    createdAt,
    redriveAttempts: 0,
    lastRedriveAt: null,
    context: null,
  };
}

describe("clean-up of the store", () => {
  it("forgets answers past their time, dead letters past their time and number", async () => {
    const clock = new FakeClock(1_000_000);
    const store = new MemoryStore();
    const dedup = new Dedup(clock, options);
    const cleanUp = new CleanUp({ clock, log: silentLogger(), store, dedup }, options);
    const now = clock.now();
    dedup.sight("a", "1");
    const answer = new Uint8Array([1]);
    const put = dedup.store("a", "1", answer);
    dedup.complete("a", "1", answer, put.answer.seq);
    await store.commit([
      put,
      ...["x", "y", "z"].map((id, age) => ({
        kind: "deadLetter.put" as const,
        letter: letter(id, now + age),
      })),
    ]);
    cleanUp.start();
    await clock.settle();
    const ids = async (): Promise<string[]> => (await store.deadLetters(10)).map(({ id }) => id);
    assert.deepEqual(await ids(), ["z", "y"], "the oldest went first");
    await clock.advance(1_999);
    assert.equal((await store.answers(0, 9)).length, 1);
    await clock.advance(3_001);
    assert.deepEqual(await store.answers(0, 9), []);
    assert.deepEqual(await ids(), ["z", "y"]);
    await clock.advance(1_000);
    assert.deepEqual(await ids(), []);
    await cleanUp.close();
    assert.equal(clock.pending, 0);
  });
});
