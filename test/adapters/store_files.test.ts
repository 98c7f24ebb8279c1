import assert from "node:assert/strict";
import { chmod, copyFile, open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../adapters/memory/seeded_random.ts";
import { backupPath } from "../../adapters/sql/backup.ts";
import { checkStore } from "../../adapters/sql/check.ts";
import { exportStore } from "../../adapters/sql/export.ts";
import { importStore } from "../../adapters/sql/import.ts";
import { openDriver, openStore } from "../../adapters/sql/open.ts";
import { schemaVersion } from "../../adapters/sql/schema.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { ActrError } from "../../src/errors.ts";
import type { Store } from "../../src/ports/store.ts";
import { answer, letter, row } from "../conformance/store_samples.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const options = { clock: systemClock(), random: new SeededRandom() };
const never = new AbortController().signal;
const openFile = (path: string): Promise<Store> => openStore(`file:${path}`, options, never);

/** Some of everything, on several pages of size 2. */
async function fill(store: Store): Promise<void> {
  const value = new Uint8Array([0, 255, 7]);
  await store.commit([
    ...[1, 5, 9].map((seq) => ({ kind: "mailbox.put", row: row(seq) }) as const),
    {
      kind: "mailbox.put",
      row: row(10, { attempts: 2, notBefore: 99, payload: Buffer.from("b") }),
    },
    ...[3, 1, 2].map((n) => ({ kind: "deadLetter.put", letter: letter(n) }) as const),
    { kind: "deadLetter.put", letter: letter(4, { createdAt: 1002, from: null, context: null }) },
    // Their keys descend while their age does, so that one order is not taken for the other.
    ...[2, 3, 7].map((seq) => {
      const requestId = `request-${9 - seq}`;
      return { kind: "answer.put", answer: answer(seq, { requestId }) } as const;
    }),
    { kind: "record.put", space: "s", key: "k", value },
    { kind: "record.put", space: "t", key: "🐓", value },
    { kind: "record.put", space: "t", key: "z", value: new Uint8Array(0) },
  ]);
}

async function contents(store: Store): Promise<unknown> {
  return {
    rows: await store.mailboxRows(0, 99),
    letters: await store.deadLetters(99),
    answers: (await store.answers(0, 99)).map(({ seq: _, ...rest }) => rest),
    s: await store.records("s", "", 99),
    t: await store.records("t", "", 99),
  };
}

async function linesOf(store: Store, pageSize = 2): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of exportStore(store, { pageSize })) lines.push(line);
  return lines;
}

/** Takes the tables of a closed file back to version 1. */
async function downgrade(path: string): Promise<void> {
  const driver = await openDriver(`file:${path}`, {});
  const sql = [
    "DROP INDEX mailbox_priority",
    "DROP INDEX dead_letter_category",
    "DROP INDEX dead_letter_trace",
    "DROP TABLE commit_mark",
    "ALTER TABLE answer RENAME TO numbered_answer",
    `CREATE TABLE answer (
      caller TEXT NOT NULL, request_id TEXT NOT NULL, expires_at INTEGER NOT NULL, response BLOB NOT NULL,
      PRIMARY KEY (caller, request_id)) WITHOUT ROWID`,
    "CREATE INDEX answer_expiry ON answer (expires_at)",
    "INSERT INTO answer SELECT caller, request_id, expires_at, response FROM numbered_answer ORDER BY seq DESC",
    "DROP TABLE numbered_answer",
    "UPDATE meta SET schema = 1",
  ];
  await driver.batch(sql.map((each) => ({ sql: each, args: [] })));
  await driver.close();
}

describe("a store of an earlier release", () => {
  it("is copied beside itself and brought up to date with its contents", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.db");
    const first = await openFile(path);
    await fill(first);
    const before = await contents(first);
    await first.close();
    await downgrade(path);
    assert.equal((await checkStore(`file:${path}`)).schema, 1);
    const migrated = await openFile(path);
    assert.deepEqual(await contents(migrated), before);
    await migrated.close();
    assert.equal((await checkStore(`file:${path}`)).schema, schemaVersion);
    const copy = await checkStore(`file:${backupPath(path, 1)}`);
    assert.deepEqual([copy.schema, copy.rows["mailbox"], copy.problems], [1, 4, []]);
    assert.deepEqual((await readdir(folder.path)).sort(), ["node.db", "node.db.v1.backup"]);
  });

  it("is copied again when it is migrated again", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.db");
    for (let round = 1; round <= 2; round++) {
      const store = await openFile(path);
      await store.commit([{ kind: "mailbox.put", row: row(store.opened.lastSeq + 1) }]);
      await store.close();
      await downgrade(path);
      await (await openFile(path)).close();
      const copy = await checkStore(`file:${backupPath(path, 1)}`);
      assert.equal(copy.rows["mailbox"], round);
    }
  });

  it("stays as it is when it cannot be copied", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.db");
    await (await openFile(path)).close();
    await downgrade(path);
    const backup = () => Promise.reject(new ActrError("storage", "no room for a copy"));
    await assert.rejects(openStore(`file:${path}`, { ...options, backup }, never), /no room/);
    assert.equal((await checkStore(`file:${path}`)).schema, 1);
  });
});

describe("the check of a store", () => {
  it("finds nothing wrong with a whole one, nor with an empty one", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.db");
    await writeFile(path, "");
    const none = await checkStore(`file:${path}`);
    assert.deepEqual([none.schema, none.problems], [0, []]);
    const store = await openFile(path);
    await fill(store);
    await store.close();
    for (const quick of [true, false]) {
      const rows = { mailbox: 4, delivery: 1, dead_letter: 4, answer: 3, record: 3 };
      const knownSchema = schemaVersion;
      const lease = { owner: null, leaseEndsAt: 0, fence: 1 };
      const whole = { clean: true, ...lease, rows, problems: [] };
      const expected = { schema: schemaVersion, knownSchema, ...whole };
      assert.deepEqual(await checkStore(`file:${path}`, { quick }), expected);
    }
  });

  it("names what breaks our own rules", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.db");
    const store = await openFile(path);
    await fill(store);
    await store.close();
    const driver = await openDriver(`file:${path}`, {});
    for (const sql of [
      "INSERT INTO delivery VALUES (77, 1, 0, 0)",
      "INSERT INTO mailbox VALUES (99, 'x', x'', 3, 0, x'')",
      "UPDATE mailbox SET id = 'x' WHERE seq = 1",
    ]) {
      await driver.run({ sql, args: [] });
    }
    await driver.close();
    const { problems } = await checkStore(`file:${path}`);
    for (const expected of [
      /1 claims of messages that are gone/,
      /1 messages beyond the reserved numbers/,
      /1 messages of unknown priority/,
      /1 message ids that occur twice/,
    ]) {
      assert.ok(
        problems.some((text) => expected.test(text)),
        problems.join("; "),
      );
    }
  });

  it("finds a damaged page", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.db");
    const store = await openFile(path);
    const rows = Array.from({ length: 500 }, (_, n) => row(n + 1));
    await store.commit(rows.map((each) => ({ kind: "mailbox.put", row: each }) as const));
    await store.close();
    const damaged = join(folder.path, "damaged.db");
    await copyFile(path, damaged);
    const file = await open(damaged, "r+");
    const { size } = await file.stat();
    await file.write(Buffer.alloc(2000, 0xee), 0, 2000, size - 4096);
    await file.close();
    assert.deepEqual((await checkStore(`file:${path}`)).problems, []);
    const found = await checkStore(`file:${damaged}`).then(
      ({ problems }) => problems,
      (error) => [String(error)],
    );
    assert.ok(found.length > 0);
  });

  it("refuses a file that is in use, and one that is not there, which it does not make", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node.db");
    const code = (error: unknown) => ActrError.from(error).code;
    await assert.rejects(checkStore(`file:${path}`), (error) => code(error) === "not_found");
    assert.deepEqual(await readdir(folder.path), []);
    await using _store = await openFile(path);
    await assert.rejects(checkStore(`file:${path}`), (error) => {
      assert.match(ActrError.from(error).message, /another process has it open/);
      return ActrError.is(error) && error.details?.["inUse"] === true;
    });
  });

  it("changes neither a file that was closed nor one whose owner was killed", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "node 100%.db");
    const killed = join(folder.path, "killed.db");
    const url = `file:${encodeURI(path)}`;
    const store = await openStore(url, { ...options, owner: "process 1 on here" }, never);
    await store.commit([{ kind: "mailbox.put", row: row(1) }]);
    for (const part of ["", "-wal"]) await copyFile(`${path}${part}`, `${killed}${part}`);
    await store.close();
    const bytes = async () => {
      const files = [path, killed, `${killed}-wal`];
      return (await Promise.all(files.map((file) => readFile(file)))).map(String);
    };
    const before = await bytes();
    const files = await readdir(folder.path);
    const closed = await checkStore(url);
    assert.deepEqual([closed.clean, closed.owner, closed.rows["mailbox"]], [true, null, 1]);
    assert.deepEqual(await readdir(folder.path), files);
    const left = await checkStore(`file:${killed}`);
    assert.deepEqual(
      [left.clean, left.owner, left.rows["mailbox"]],
      [false, "process 1 on here", 1],
    );
    assert.deepEqual(await bytes(), before);
    const heir = await openFile(killed);
    assert.equal((await heir.mailboxRows(0, 9)).length, 1);
    await heir.close();
  });
});

describe("the folder of a store", () => {
  it("is its owner's alone where it is made, and as it was where it is there", async () => {
    await using folder = await temporaryFolder();
    const made = join(folder.path, "made");
    const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
    await chmod(folder.path, 0o755);
    for (const path of [join(made, "deep", "node.db"), join(folder.path, "node.db")]) {
      await using _store = await openFile(path);
    }
    assert.deepEqual([await modeOf(made), await modeOf(join(made, "deep"))], [0o700, 0o700]);
    assert.equal(await modeOf(folder.path), 0o755);
  });
});

describe("export and import", () => {
  it("carries everything to another store, over pages", async () => {
    await using folder = await temporaryFolder();
    await using from = new MemoryStore();
    await fill(from);
    const lines = await linesOf(from);
    assert.deepEqual(JSON.parse(lines[0] ?? ""), { kind: "roost.store", version: 2 });
    assert.deepEqual(JSON.parse(lines.at(-1) ?? ""), { kind: "end", lines: 14 });
    assert.equal(lines.length, 16);
    await using to = await openFile(join(folder.path, "node.db"));
    const progress: number[] = [];
    const onProgress = (stored: number) => progress.push(stored);
    assert.equal(await importStore(to, lines, { onProgress, batchSize: 5 }), 14);
    assert.deepEqual(progress, [5, 10, 14]);
    assert.deepEqual(await linesOf(to), lines);
    await using again = new MemoryStore();
    await importStore(again, await linesOf(to, 256));
    assert.deepEqual(await contents(again), await contents(to));
  });

  it("tells how far an export is", async () => {
    await using from = new MemoryStore();
    await fill(from);
    const progress: number[] = [];
    for await (const _ of exportStore(from, { pageSize: 3, onProgress: (n) => progress.push(n) })) {
    }
    assert.deepEqual(progress, [3, 4, 7, 8, 11, 12, 14]);
  });

  it("gives messages new numbers where the store has given some before", async () => {
    await using from = new MemoryStore();
    await fill(from);
    await using to = new MemoryStore();
    await to.commit([{ kind: "mailbox.put", row: row(20) }]);
    await to.commit([{ kind: "mailbox.ack", seq: 20 }]);
    await using used = to.reopen();
    await importStore(used, await linesOf(from));
    const seqs = (await used.mailboxRows(0, 9)).map(({ seq }) => seq);
    assert.deepEqual(seqs, [21, 25, 29, 30]);
  });

  it("reads what an earlier release wrote, which does not say where it ends", async () => {
    await using from = new MemoryStore();
    await fill(from);
    const [, ...lines] = await linesOf(from);
    await using to = new MemoryStore();
    const header = '{"kind":"roost.store","version":1}';
    assert.equal(await importStore(to, [header, ...lines.slice(0, -1)]), 14);
  });

  it("refuses a store that is not empty, and lines that are no export", async () => {
    const refuses = async (store: Store, lines: string[], message: RegExp) =>
      assert.rejects(importStore(store, lines), (error) => {
        assert.ok(ActrError.is(error) && error.code === "invalid_argument", String(error));
        assert.match(error.message, message);
        return true;
      });
    const header = '{"kind":"roost.store","version":2}';
    const end = '{"kind":"end","lines":0}';
    await using used = new MemoryStore();
    await used.commit([{ kind: "record.put", space: "s", key: "k", value: new Uint8Array(1) }]);
    await refuses(used, [header], /not empty; import into a new file/);
    for (const [lines, message] of [
      [[], /at least one line/],
      [['{"kind":"message","row":{}}'], /line 1 is not the header/],
      [['{"kind":"roost.store","version":3}'], /version 3, this release reads 1 to 2/],
      [[header, header], /line 2 of the import is a second header/],
      [[header], /cut short after line 1/],
      [[header, '{"kind":"end","lines":1}'], /cut short after line 2/],
      [[header, end, end], /line 3 of the import is behind its end/],
      [[header, '{"kind":"row","values":[]}'], /belong to no table or database/],
      [
        [header, '{"kind":"statement","sql":"SELECT 1"}', '{"kind":"end","lines":1}'],
        /belong to no table or database/,
      ],
      [[header, '{"kind":"message"}'], /line 2 .* of no known kind/],
      [[header, '{"kind":"cat"}'], /line 2 .* of no known kind/],
      [[header, '{"kind":'], /line 2 .* not JSON/],
    ] as const) {
      await using store = new MemoryStore();
      await refuses(store, [...lines], message);
    }
  });
});
