import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Store } from "../../src/ports/store.ts";
import { failureCases } from "./store_failures.ts";
import { mailboxCases } from "./store_mailbox.ts";
import { recoveryCases } from "./store_recovery.ts";
import { answer, row } from "./store_samples.ts";
import { tableCases } from "./store_tables.ts";

/** One database under test, opened and ended as processes would. */
export interface StoreFixture extends AsyncDisposable {
  /** Whether a second owner is refused while the first one lives; memory hands everything over. */
  readonly refusesSecond: boolean;
  /** Opens the store as a new process. Rejects at once when another owner is alive. */
  open(): Promise<Store>;
  /** Ends the process of `store` without a word: nothing is written any more, and its lease is over. */
  crash(store: Store): Promise<void>;
  /** Lets another owner take the database from under `store`. */
  usurp(store: Store): Promise<void>;
  /** Transactions written so far, where that can be counted. */
  readonly transactions?: () => number;
  /** Makes the next transaction fail as an I/O error would, before or after it took effect. */
  readonly failNext?: (when: "before" | "after") => void;
  /** Lets so many milliseconds pass on the store's clock. */
  readonly waitMs?: (ms: number) => Promise<void>;
  /** Whether a confirmation can be lost on the way; the store must then learn the outcome by itself. */
  readonly remote?: boolean;
}

/** Runs a case on a fresh store, which is closed afterwards unless it crashed. */
export type UseStore = (
  title: string,
  run: (store: Store, fixture: StoreFixture) => Promise<void>,
) => void;

/** What every Store must do; `open` makes a fresh database. */
export function storeConformance(name: string, open: () => Promise<StoreFixture>): void {
  const use: UseStore = (title, run) =>
    it(title, async () => {
      await using fixture = await open();
      const store = await fixture.open();
      const crashed = new Set<Store>();
      const crash = (victim: Store): Promise<void> => {
        crashed.add(victim);
        return fixture.crash(victim);
      };
      await run(store, { ...fixture, crash });
      if (!crashed.has(store)) await store.close();
    });

  describe(`store: ${name}`, () => {
    describe("commit", () => commitCases(use));
    describe("mailbox", () => mailboxCases(use));
    describe("dead letters, answers, records", () => tableCases(use));
    describe("recovery and ownership", () => recoveryCases(use));
    describe("failures", () => failureCases(use));
  });
}

function commitCases(use: UseStore): void {
  use("takes an empty list", async (store) => {
    await store.commit([]);
  });

  use("applies a list whole and in order", async (store) => {
    const value = (n: number) => new Uint8Array([n]);
    await store.commit([
      { kind: "record.put", space: "s", key: "a", value: value(1) },
      { kind: "record.put", space: "s", key: "b", value: value(1) },
      { kind: "record.put", space: "s", key: "a", value: value(2) },
      { kind: "record.delete", space: "s", key: "b" },
      { kind: "mailbox.put", row: row(1) },
    ]);
    assert.deepEqual(await store.records("s", "", 10), [{ key: "a", value: value(2) }]);
    assert.deepEqual(await store.mailboxRows(0, 10), [row(1)]);
  });

  use("resolves commits in the order of the calls", async (store) => {
    const done: number[] = [];
    const commits = [1, 2, 3, 4].map((n) =>
      store.commit([{ kind: "mailbox.put", row: row(n) }]).then(() => done.push(n)),
    );
    await Promise.all(commits);
    assert.deepEqual(done, [1, 2, 3, 4]);
  });

  use(
    "tells the outcome of what is submitted in the order of the calls, and later than each",
    async (store) => {
      const heard: unknown[] = [];
      const submit = (seq: number): Promise<void> =>
        new Promise((resolve) => {
          const { length } = heard;
          store.submit([{ kind: "mailbox.put", row: row(seq) }], (error) => {
            heard.push(error === undefined ? seq : error instanceof RangeError);
            resolve();
          });
          assert.equal(heard.length, length);
        });
      await Promise.all([submit(2), submit(3)]);
      await submit(1);
      assert.deepEqual(heard, [2, 3, true]);
      assert.deepEqual(await store.mailboxRows(0, 10), [row(2), row(3)]);
    },
  );

  use("writes nothing of what builds on a commit that it refuses", async (store) => {
    const [line, other] = [{}, {}];
    const value = Uint8Array.of(1);
    const expectation = { kind: "record.expect", space: "none", key: "k", value } as const;
    const submit = (seq: number, isRefused: boolean, of: object): Promise<boolean> =>
      new Promise((resolve) => {
        const put = { kind: "record.put", space: "lines", key: String(seq), value } as const;
        const changes = isRefused ? [expectation, put] : [put];
        store.submit(changes, (error) => resolve(error === undefined), of);
      });
    const outcomes = [
      submit(1, false, line),
      submit(2, true, line),
      submit(3, false, other),
      submit(4, false, line),
    ];
    assert.deepEqual(await Promise.all(outcomes), [true, false, true, false]);
    assert.equal(await submit(5, false, line), true);
    const kept = await store.records("lines", "", 10);
    assert.deepEqual(
      kept.map(({ key }) => key),
      ["1", "3", "5"],
    );
  });

  use("writes the commits of one turn in one transaction", async (store, { transactions }) => {
    const before = transactions?.();
    const rows = Array.from({ length: 100 }, (_, n) => row(n + 1));
    await Promise.all(rows.map((each) => store.commit([{ kind: "mailbox.put", row: each }])));
    if (before !== undefined) assert.equal(transactions?.(), before + 1);
    assert.equal((await store.mailboxRows(0, 1000)).length, 100);
  });

  use("writes nothing for what cancels out within a turn", async (store, { transactions }) => {
    await store.commit([{ kind: "mailbox.put", row: row(1) }]);
    const before = transactions?.();
    await Promise.all([
      store.commit([{ kind: "mailbox.put", row: row(2) }]),
      store.commit([{ kind: "mailbox.claim", seq: 2 }]),
      store.commit([{ kind: "mailbox.ack", seq: 2 }]),
    ]);
    assert.equal(transactions?.(), before);
    assert.deepEqual(await store.mailboxRows(0, 10), [row(1)]);
  });

  use("shows every read what was handed over before, committed or not", async (store) => {
    const commits = [
      store.commit([{ kind: "mailbox.put", row: row(1) }]),
      store.commit([{ kind: "answer.put", answer: answer(1) }]),
      store.commit([{ kind: "record.put", space: "s", key: "k", value: new Uint8Array([2]) }]),
    ];
    assert.deepEqual(await store.record("s", "k"), new Uint8Array([2]));
    assert.deepEqual(await store.answers(0, 10), [answer(1)]);
    assert.deepEqual(await store.mailboxRows(0, 10), [row(1)]);
    assert.equal((await store.records("s", "", 10)).length, 1);
    await Promise.all(commits);
    const gone = [
      store.commit([{ kind: "answer.forget", through: 1 }]),
      store.commit([{ kind: "record.delete", space: "s", key: "k" }]),
    ];
    assert.equal(await store.record("s", "k"), undefined);
    assert.deepEqual(await store.answers(0, 10), []);
    await Promise.all(gone);
  });
}
