import assert from "node:assert/strict";
import { ActrError } from "../../src/errors.ts";
import type { DeadLetterQuery, Store, StoredAnswer } from "../../src/ports/store.ts";
import type { UseStore } from "./store.ts";
import { answer, letter } from "./store_samples.ts";

/** Dead letters, answers and keyed records. */
export function tableCases(use: UseStore): void {
  deadLetterCases(use);
  answerCases(use);
  recordCases(use);
}

function deadLetterCases(use: UseStore): void {
  use("keeps a dead letter under its own id with equal fields", async (store, fixture) => {
    const bare = letter(2, {
      messageId: null,
      from: null,
      to: null,
      requestId: null,
      lastRedriveAt: null,
      context: null,
      rawBytes: new Uint8Array(0),
    });
    await store.commit([{ kind: "deadLetter.put", letter: letter(1) }]);
    await store.commit([{ kind: "deadLetter.put", letter: bare }]);
    await store.close();
    await using again = await fixture.open();
    assert.deepEqual(await again.deadLetters(10), [bare, letter(1)]);
  });

  use(
    "[N-101] [N-102] lists dead letters newest first, at most as many as asked",
    async (store) => {
      const letters = [letter(2), letter(9), letter(1), letter(4), letter(5, { createdAt: 1004 })];
      for (const each of letters) await store.commit([{ kind: "deadLetter.put", letter: each }]);
      const ids = (await store.deadLetters(10)).map(({ id }) => id);
      assert.deepEqual(ids, ["dead-9", "dead-5", "dead-4", "dead-2", "dead-1"]);
      assert.deepEqual(
        (await store.deadLetters(2)).map(({ id }) => id),
        ["dead-9", "dead-5"],
      );
    },
  );

  use("[N-95] finds a dead letter by its id, with equal fields", async (store) => {
    await store.commit([1, 2].map((n) => ({ kind: "deadLetter.put", letter: letter(n) }) as const));
    assert.deepEqual(await store.deadLetter("dead-2"), letter(2));
    assert.equal(await store.deadLetter("dead-3"), undefined);
  });

  use("[N-96] [N-97] filters dead letters by all that is asked", async (store) => {
    const letters = [
      letter(1, { category: "a", traceId: "t" }),
      letter(2, { category: "b", traceId: "t", from: new Uint8Array([1, 2]) }),
      letter(3, { category: "a", traceId: "u", from: null }),
      letter(4, { category: "a", traceId: "t", from: new Uint8Array([1, 2]) }),
    ];
    await store.commit(letters.map((each) => ({ kind: "deadLetter.put", letter: each }) as const));
    const ids = async (query: DeadLetterQuery, limit = 9) =>
      (await store.deadLetters(limit, query)).map(({ id }) => id);
    assert.deepEqual(await ids({ category: "a" }), ["dead-4", "dead-3", "dead-1"]);
    assert.deepEqual(await ids({ traceId: "t" }), ["dead-4", "dead-2", "dead-1"]);
    assert.deepEqual(await ids({ from: new Uint8Array([1, 2]) }), ["dead-4", "dead-2"]);
    assert.deepEqual(await ids({ createdAfter: 1002 }), ["dead-4", "dead-3"]);
    assert.deepEqual(await ids({ category: "a", traceId: "t", createdAfter: 1001 }), ["dead-4"]);
    assert.deepEqual(await ids({ category: "a" }, 2), ["dead-4", "dead-3"]);
    assert.deepEqual(await ids({ category: "none" }), []);
  });

  use("pages dead letters from either end", async (store) => {
    const letters = [letter(1), letter(2), letter(3, { createdAt: 1002 }), letter(4)];
    await store.commit(letters.map((each) => ({ kind: "deadLetter.put", letter: each }) as const));
    const page = async (query: DeadLetterQuery) =>
      (await store.deadLetters(2, query)).map(({ id }) => id);
    assert.deepEqual(await page({ after: "dead-4" }), ["dead-3", "dead-2"]);
    assert.deepEqual(await page({ after: "dead-1" }), []);
    assert.deepEqual(await page({ first: "oldest" }), ["dead-1", "dead-2"]);
    assert.deepEqual(await page({ first: "oldest", after: "dead-2" }), ["dead-3", "dead-4"]);
    await assert.rejects(
      page({ after: "gone" }),
      (error) => ActrError.is(error) && error.code === "not_found",
    );
  });

  use("[N-98] counts dead letters", async (store) => {
    const none = { total: 0, byCategory: {}, redriven: 0, oldestAt: null };
    assert.deepEqual(await store.deadLetterStats(), none);
    const letters = [
      letter(1, { category: "a" }),
      letter(2, { category: "b", redriveAttempts: 1 }),
      letter(3, { category: "a", redriveAttempts: 2 }),
    ];
    await store.commit(letters.map((each) => ({ kind: "deadLetter.put", letter: each }) as const));
    assert.deepEqual(await store.deadLetterStats(), {
      total: 3,
      byCategory: { a: 2, b: 1 },
      redriven: 2,
      oldestAt: 1001,
    });
  });

  use("[N-99] counts redrives of a letter, which stays", async (store) => {
    await store.commit([{ kind: "deadLetter.put", letter: letter(1) }]);
    for (const [attempts, at] of [
      [1, 70],
      [2, 80],
    ] as const) {
      await store.commit([
        { kind: "deadLetter.redrive", id: "dead-1", at },
        { kind: "deadLetter.redrive", id: "none", at },
      ]);
      const expected = letter(1, { redriveAttempts: attempts, lastRedriveAt: at });
      assert.deepEqual(await store.deadLetters(9), [expected]);
    }
  });

  use("retains dead letters by age and by count, in the order of the changes", async (store) => {
    const put = (n: number) => ({ kind: "deadLetter.put", letter: letter(n) }) as const;
    const ids = async () => (await store.deadLetters(9)).map(({ id }) => id);
    await store.commit([put(1), put(2), put(3), put(4)]);
    await store.commit([{ kind: "deadLetter.expire", before: 1002 }]);
    assert.deepEqual(await ids(), ["dead-4", "dead-3", "dead-2"]);
    await store.commit([{ kind: "deadLetter.keep", newest: 2 }]);
    assert.deepEqual(await ids(), ["dead-4", "dead-3"]);
    await Promise.all([
      store.commit([put(5)]),
      store.commit([{ kind: "deadLetter.keep", newest: 1 }]),
      store.commit([put(1), { kind: "deadLetter.redrive", id: "dead-1", at: 9 }]),
      store.commit([{ kind: "deadLetter.delete", id: "dead-5" }]),
    ]);
    assert.deepEqual(await ids(), ["dead-1"]);
    assert.equal((await store.deadLetter("dead-1"))?.redriveAttempts, 1);
  });

  use("[N-100] deletes a dead letter; replaces one with the same id", async (store) => {
    await store.commit([
      { kind: "deadLetter.put", letter: letter(1) },
      { kind: "deadLetter.put", letter: letter(2) },
    ]);
    const tried = letter(2, { redriveAttempts: 1, lastRedriveAt: 77 });
    await store.commit([
      { kind: "deadLetter.delete", id: "dead-1" },
      { kind: "deadLetter.delete", id: "unknown" },
      { kind: "deadLetter.put", letter: tried },
    ]);
    assert.deepEqual(await store.deadLetters(10), [tried]);
  });
}

function answerCases(use: UseStore): void {
  const put = (each: StoredAnswer) => ({ kind: "answer.put", answer: each }) as const;
  const seqs = async (store: Store) => (await store.answers(0, 99)).map(({ seq }) => seq);

  use("[ND-14] keeps every field of an answer", async (store, fixture) => {
    const kept = [
      answer(3, { caller: "", requestId: "🐓", response: new Uint8Array(0) }),
      answer(4, { response: new Uint8Array(70_000).fill(3) }),
      answer(9, { requestId: "request-4", expiresAt: 5 }),
    ];
    await store.commit(kept.map(put));
    await store.close();
    await using again = await fixture.open();
    assert.deepEqual(await again.answers(0, 99), kept);
  });

  use("pages answers by their numbers, ascending", async (store) => {
    await store.commit([1, 2, 5, 6].map((seq) => put(answer(seq))));
    assert.deepEqual(await store.answers(0, 2), [answer(1), answer(2)]);
    assert.deepEqual(await store.answers(2, 9), [answer(5), answer(6)]);
    assert.deepEqual(await store.answers(6, 9), []);
  });

  use("forgets the oldest answers, and only those", async (store, fixture) => {
    await store.commit([1, 2, 4, 5].map((seq) => put(answer(seq))));
    await store.commit([{ kind: "answer.forget", through: 3 }]);
    assert.deepEqual(await seqs(store), [4, 5]);
    await store.commit([{ kind: "answer.forget", through: 2 }]);
    await fixture.crash(store);
    await using again = await fixture.open();
    assert.deepEqual(await seqs(again), [4, 5]);
  });

  use("deletes one answer", async (store) => {
    await store.commit([1, 2, 3].map((seq) => put(answer(seq))));
    await store.commit([
      { kind: "answer.delete", seq: 2 },
      { kind: "answer.delete", seq: 77 },
    ]);
    assert.deepEqual(await seqs(store), [1, 3]);
  });

  use("keeps the order of what happens to answers within one turn", async (store) => {
    await store.commit([1, 2].map((seq) => put(answer(seq))));
    const commits = [
      store.commit([put(answer(3)), put(answer(4)), put(answer(5))]),
      store.commit([{ kind: "answer.forget", through: 3 }]),
      store.commit([put(answer(6)), { kind: "answer.delete", seq: 5 }]),
    ];
    assert.deepEqual(await seqs(store), [4, 6]);
    await Promise.all(commits);
    assert.deepEqual(await seqs(store), [4, 6]);
  });
}

function recordCases(use: UseStore): void {
  const bytes = (n: number) => new Uint8Array([n]);
  const put = (space: string, key: string, n: number) =>
    ({ kind: "record.put", space, key, value: bytes(n) }) as const;

  use("keeps records by space and key, the last value under a key", async (store, fixture) => {
    await store.commit([put("s", "k", 1), put("t", "k", 2), put("sk", "", 3)]);
    await store.commit([put("s", "k", 4), { kind: "record.delete", space: "t", key: "none" }]);
    await store.close();
    await using again = await fixture.open();
    assert.deepEqual(await again.record("s", "k"), bytes(4));
    assert.deepEqual(await again.record("t", "k"), bytes(2));
    assert.equal(await again.record("s", "j"), undefined);
  });

  use("shows who is refused what is stored, and not what it wanted to write", async (store) => {
    await store.commit([put("s", "a", 1)]);
    const expected = { kind: "record.expect", space: "s", key: "a", value: bytes(2) } as const;
    // At once: a moment later nothing of the commit is left anywhere.
    const seen = store.commit([expected, put("s", "a", 3)]).catch(() => store.record("s", "a"));
    assert.deepEqual(await seen, bytes(1));
  });

  use("writes what holds to be expected, and nothing where it does not", async (store) => {
    const expect = (key: string, value: number | null) =>
      ({
        kind: "record.expect",
        space: "s",
        key,
        value: value === null ? null : bytes(value),
      }) as const;
    await store.commit([expect("a", null), put("s", "a", 1)]);
    await store.commit([expect("a", 1), expect("b", null), put("s", "a", 2)]);
    const refused = [
      [expect("a", 1), put("s", "b", 1)],
      [expect("a", null), put("s", "b", 1)],
      [expect("b", 1), put("s", "b", 1)],
    ];
    const good = store.commit([expect("a", 2), put("s", "c", 3)]);
    const outcomes = await Promise.allSettled(refused.map((changes) => store.commit(changes)));
    for (const outcome of outcomes) {
      assert.equal(outcome.status, "rejected");
      assert.equal(ActrError.from(outcome.reason).code, "lease_lost");
    }
    await good;
    assert.deepEqual(
      (await store.records("s", "", 10)).map(({ key }) => key),
      ["a", "c"],
    );
    assert.equal(store.fault, undefined);
    await store.commit([put("s", "d", 4)]);
  });

  use("pages a space by code points of the keys", async (store) => {
    const keys = ["a", "b", "é", "\uffee", "🐓"];
    await store.commit([...keys].reverse().map((key, n) => put("s", key, n)));
    await store.commit([put("r", "b", 1), put("t", "b", 1)]);
    const page = async (after: string, limit: number) =>
      (await store.records("s", after, limit)).map(({ key }) => key);
    assert.deepEqual(await page("", 10), keys);
    assert.deepEqual(await page("", 2), keys.slice(0, 2));
    assert.deepEqual(await page("b", 2), keys.slice(2, 4));
    assert.deepEqual(await page("🐓", 2), []);
  });

  use("names the spaces that hold records, one after the other", async (store) => {
    await store.commit([put("b", "k", 1), put("b", "l", 1), put("🐓", "k", 1), put("a", "k", 1)]);
    await store.commit([put("c", "k", 1), { kind: "record.delete", space: "c", key: "k" }]);
    const spaces: string[] = [];
    for (let space: string | undefined = ""; space !== undefined; ) {
      space = await store.nextSpace(space);
      if (space !== undefined) spaces.push(space);
    }
    assert.deepEqual(spaces, ["a", "b", "🐓"]);
  });

  use("deletes records", async (store) => {
    await store.commit([put("s", "a", 1), put("s", "b", 2)]);
    await store.commit([{ kind: "record.delete", space: "s", key: "a" }]);
    assert.equal(await store.record("s", "a"), undefined);
    assert.deepEqual(await store.records("s", "", 9), [{ key: "b", value: bytes(2) }]);
  });
}
