import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { CleanUp } from "../../../src/inbound/clean_up.ts";
import { defaultNodeOptions } from "../../../src/options.ts";
import type { DeadLetter } from "../../../src/ports/store.ts";

const options = {
  ...defaultNodeOptions.inbound,
  cleanUpMs: 1_000,
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
    const cleanUp = new CleanUp({ clock, log: silentLogger(), store }, options);
    const response = new Uint8Array([1]);
    const now = clock.now();
    await store.commit([
      {
        kind: "answer.put",
        answer: { caller: "a", requestId: "1", response, expiresAt: now + 500 },
      },
      {
        kind: "answer.put",
        answer: { caller: "a", requestId: "2", response, expiresAt: now + 9_000 },
      },
      ...["x", "y", "z"].map((id, age) => ({
        kind: "deadLetter.put" as const,
        letter: letter(id, now + age),
      })),
    ]);
    cleanUp.start();
    await clock.settle();
    const ids = async (): Promise<string[]> => (await store.deadLetters(10)).map(({ id }) => id);
    assert.deepEqual(await ids(), ["z", "y"], "the oldest went first");
    assert.ok(await store.answer("a", "1"));
    await clock.advance(1_000);
    assert.equal(await store.answer("a", "1"), undefined);
    assert.ok(await store.answer("a", "2"));
    await clock.advance(5_000);
    assert.deepEqual(await ids(), []);
    await cleanUp.close();
    assert.equal(clock.pending, 0);
  });
});
