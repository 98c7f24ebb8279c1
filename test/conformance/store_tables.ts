import assert from "node:assert/strict";
import type { Store, StoredAnswer } from "../../src/ports/store.ts";
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
  const put = (store: Store, ...answers: StoredAnswer[]) =>
    store.commit(answers.map((each) => ({ kind: "answer.put", answer: each }) as const));

  use(
    "[ND-14] keeps answers by caller and request id, the last one under a key",
    async (store, fixture) => {
      await put(store, answer("r", 10, "a"), answer("r", 20, "b"), answer("ar", 30, ""));
      await put(store, { ...answer("r", 40, "a"), response: new Uint8Array(70_000).fill(3) });
      await store.close();
      await using again = await fixture.open();
      assert.deepEqual(await again.answer("a", "r"), {
        ...answer("r", 40, "a"),
        response: new Uint8Array(70_000).fill(3),
      });
      assert.deepEqual(await again.answer("b", "r"), answer("r", 20, "b"));
      assert.deepEqual(await again.answer("", "ar"), answer("ar", 30, ""));
      assert.equal(await again.answer("c", "r"), undefined);
    },
  );

  use("expires answers older than asked, and only those", async (store) => {
    await put(store, answer("a", 10), answer("b", 11), answer("c", 12));
    await store.commit([{ kind: "answer.expire", before: 11 }]);
    assert.equal(await store.answer("c", "a"), undefined);
    assert.deepEqual(await store.answer("c", "b"), answer("b", 11));
    assert.deepEqual(await store.answer("c", "c"), answer("c", 12));
  });

  use("keeps the order of puts and expiries within one turn", async (store) => {
    await put(store, answer("longer", 100));
    const commits = [
      put(store, answer("longer", 5), answer("before", 5)),
      store.commit([{ kind: "answer.expire", before: 50 }]),
      put(store, answer("after", 6)),
    ];
    const check = async () => {
      assert.equal(await store.answer("c", "longer"), undefined);
      assert.equal(await store.answer("c", "before"), undefined);
      assert.deepEqual(await store.answer("c", "after"), answer("after", 6));
    };
    await check();
    await Promise.all(commits);
    await check();
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

  use("deletes records", async (store) => {
    await store.commit([put("s", "a", 1), put("s", "b", 2)]);
    await store.commit([{ kind: "record.delete", space: "s", key: "a" }]);
    assert.equal(await store.record("s", "a"), undefined);
    assert.deepEqual(await store.records("s", "", 9), [{ key: "b", value: bytes(2) }]);
  });
}
