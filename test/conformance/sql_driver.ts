import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../src/errors.ts";
import type { SqlDriver, SqlStatement, SqlValue } from "../../src/ports/sql_driver.ts";

/** A place where one database can be opened again and again. */
export interface SqlDriverFixture extends AsyncDisposable {
  /** Opens the database as this process; drivers left open at the end are the suite's to close. */
  open(): Promise<SqlDriver>;
}

/** Proves that a driver carries values, transactions and failures as `src/ports/sql_driver.ts` says. */
export function sqlDriverConformance(name: string, fixture: () => Promise<SqlDriverFixture>): void {
  const use = (title: string, run: (driver: SqlDriver, place: SqlDriverFixture) => Promise<void>) =>
    it(title, async () => {
      await using place = await fixture();
      const driver = await place.open();
      try {
        await driver.run(sql("CREATE TABLE t (n INTEGER PRIMARY KEY, v)"));
        await run(driver, place);
      } finally {
        await driver.close();
      }
    });

  describe(`${name}: SQL driver`, () => {
    describe("values", () => valueCases(use));
    describe("batches", () => batchCases(use));
    describe("failures", () => failureCases(use));
  });
}

type Use = (
  title: string,
  run: (driver: SqlDriver, place: SqlDriverFixture) => Promise<void>,
) => void;

function valueCases(use: Use): void {
  const values: readonly (readonly [string, SqlValue, string])[] = [
    ["null", null, "null"],
    ["zero", 0, "integer"],
    ["the greatest safe integer", Number.MAX_SAFE_INTEGER, "integer"],
    ["the least safe integer", Number.MIN_SAFE_INTEGER, "integer"],
    ["an integer beyond 2^53", 2n ** 53n + 1n, "integer"],
    ["a negative integer beyond 2^53", -(2n ** 62n) - 1n, "integer"],
    ["a fraction", 1.5, "real"],
    ["text beyond ASCII", "naïve 🐓", "text"],
    ["empty text", "", "text"],
    ["an empty blob", new Uint8Array(0), "blob"],
    ["64 KB", new Uint8Array(65_536).fill(7), "blob"],
    ["1 MB", new Uint8Array(2 ** 20).fill(9), "blob"],
    ["a view into a larger buffer", new Uint8Array([9, 1, 2, 9]).subarray(1, 3), "blob"],
    ["a Buffer", Buffer.from("abc"), "blob"],
  ];
  for (const [title, value, type] of values) {
    use(`carries ${title} as ${type}`, async (driver) => {
      await driver.run(sql("INSERT INTO t VALUES (1, ?)", value));
      const [row] = await driver.all(sql("SELECT v, typeof(v) AS type FROM t"));
      assert.equal(row?.["type"], type);
      if (value instanceof Uint8Array) assertBlob(row?.["v"], value);
      else assert.equal(row?.["v"], value);
    });
  }

  use("refuses what is no SQL value, and goes on", async (driver) => {
    for (const wrong of [undefined, true, Number.NaN, {}, [1]]) {
      const statement = sql("INSERT INTO t (v) VALUES (?)", wrong as unknown as SqlValue);
      await rejects(() => driver.batch([statement]), "storage", "statement");
    }
    assert.deepEqual(await driver.all(sql("SELECT * FROM t")), []);
  });

  use("returns pages of any size, in order", async (driver) => {
    const rows = Array.from({ length: 250 }, (_, n) => sql("INSERT INTO t VALUES (?, ?)", n, n));
    await driver.batch(rows);
    for (const limit of [0, 1, 99, 100, 101, 200, 250, 300]) {
      const page = await driver.all(sql("SELECT n FROM t ORDER BY n LIMIT ?", limit));
      assert.equal(page.length, Math.min(limit, 250));
      assert.equal(page.at(-1)?.["n"], limit === 0 ? undefined : Math.min(limit, 250) - 1);
    }
  });
}

function batchCases(use: Use): void {
  use("applies all statements in order", async (driver) => {
    await driver.batch([
      sql("INSERT INTO t VALUES (1, 'a')"),
      sql("UPDATE t SET v = v || 'b'"),
      sql("UPDATE t SET v = v || 'c'"),
    ]);
    assert.deepEqual(await contents(driver), [[1, "abc"]]);
  });

  use("applies nothing when one fails", async (driver) => {
    const bad = [sql("INSERT INTO t VALUES (1, 'a')"), sql("INSERT INTO t VALUES (1, 'b')")];
    await rejects(() => driver.batch(bad), "storage", "statement");
    assert.deepEqual(await contents(driver), []);
    await driver.batch([sql("INSERT INTO t VALUES (2, 'c')")]);
    assert.deepEqual(await contents(driver), [[2, "c"]]);
  });

  use("passes a guard that finds a row and stops at one that does not", async (driver) => {
    await driver.batch([sql("INSERT INTO t VALUES (1, 'a')")], sql("SELECT 1"));
    const guard = sql("SELECT 1 FROM t WHERE v = ?", "nobody");
    await rejects(() => driver.batch([sql("INSERT INTO t VALUES (2, 'b')")], guard), "lease_lost");
    assert.deepEqual(await contents(driver), [[1, "a"]]);
    await driver.batch([sql("DELETE FROM t")], sql("SELECT 1 FROM t WHERE v = ?", "a"));
    assert.deepEqual(await contents(driver), []);
  });

  use("keeps the order of calls that overlap", async (driver) => {
    const append = (text: string) =>
      driver.batch([
        sql("INSERT OR IGNORE INTO t VALUES (1, '')"),
        sql("UPDATE t SET v = v || ?", text),
      ]);
    await Promise.all(["a", "b", "c", "d"].map(append));
    assert.deepEqual(await contents(driver), [[1, "abcd"]]);
  });

  use("keeps what was written when it is closed and opened again", async (driver, place) => {
    await driver.batch([sql("INSERT INTO t VALUES (1, 'kept')")]);
    await driver.close();
    const again = await place.open();
    assert.deepEqual(await contents(again), [[1, "kept"]]);
    await again.close();
  });
}

function failureCases(use: Use): void {
  use("names itself and the fault", async (driver) => {
    const error = await rejects(
      () => driver.all(sql("SELECT * FROM nowhere")),
      "storage",
      "statement",
    );
    assert.ok(error.message.includes(driver.name), error.message);
  });

  use("fails typed once it is closed, and closes twice", async (driver) => {
    await driver.close();
    await rejects(() => driver.batch([sql("INSERT INTO t VALUES (1, 1)")]), "storage");
    await rejects(() => driver.all(sql("SELECT 1")), "storage");
    await driver.close();
  });
}

function sql(text: string, ...args: SqlValue[]): SqlStatement {
  return { sql: text, args };
}

async function contents(driver: SqlDriver): Promise<SqlValue[][]> {
  const rows = await driver.all(sql("SELECT n, v FROM t ORDER BY n"));
  return rows.map((row) => [row["n"] ?? null, row["v"] ?? null]);
}

function assertBlob(actual: SqlValue | undefined, expected: Uint8Array): void {
  assert.ok(actual instanceof Uint8Array && actual.constructor === Uint8Array);
  assert.equal(Buffer.compare(actual, expected), 0);
}

/** Runs a call that may throw at once or reject later. */
async function rejects(call: () => unknown, code: string, fault?: string): Promise<ActrError> {
  try {
    await call();
  } catch (error) {
    assert.ok(ActrError.is(error), String(error));
    assert.equal(error.code, code, error.message);
    if (fault !== undefined) assert.equal(error.details?.["fault"], fault, error.message);
    return error;
  }
  assert.fail("expected a failure");
}
