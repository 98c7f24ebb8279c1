import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../src/errors.ts";
import type { SqlDatabases } from "../../src/ports/sql_databases.ts";
import type {
  SqlDriver,
  SqlRow,
  SqlStatement,
  SqlTransaction,
  SqlValue,
} from "../../src/ports/sql_driver.ts";

/** A place for databases, gone with its test. */
export interface SqlDatabasesFixture extends AsyncDisposable {
  readonly databases: SqlDatabases;
}

/** Proves that databases are kept apart, kept, and deleted, as `src/ports/sql_databases.ts` says, and take what actors do with them. */
export function sqlDatabasesConformance(
  name: string,
  fixture: () => Promise<SqlDatabasesFixture>,
): void {
  const use = (title: string, run: (databases: SqlDatabases) => Promise<void>) =>
    it(title, async () => {
      await using place = await fixture();
      await run(place.databases);
    });

  describe(`${name}: SQL databases`, () => {
    placeCases(use);
    describe("a database", () => statementCases(use, undefined));
    describe("a database that is claimed", () => {
      ownerCases(use);
      statementCases(use, 3);
    });
  });
}

type Use = (title: string, run: (databases: SqlDatabases) => Promise<void>) => void;

function ownerCases(use: Use): void {
  use("does nothing for its last owner any more, if others may have it open", async (databases) => {
    const before = await databases.open("a", 7);
    await before.run(sql("CREATE TABLE t (v)"));
    const transaction = await begin(before);
    await transaction.run(sql("INSERT INTO t VALUES (1)"));
    await transaction.commit();
    // Who has a database to himself closes it before it is opened again.
    if (!databases.shared) return await before.close();
    const after = await databases.open("a", 8);
    for (const ask of [
      () => before.run(sql("INSERT INTO t VALUES ('run')")),
      () => before.all(sql("INSERT INTO t VALUES ('all') RETURNING v")),
      () => before.all(sql("SELECT v FROM t")),
      () => before.batch([sql("INSERT INTO t VALUES ('batch')")]),
      () => before.begin?.(),
      () => databases.open("a", 7),
    ]) {
      await assert.rejects(async () => await ask(), { code: "lease_lost" });
    }
    assert.deepEqual(plain(await after.all(sql("SELECT v FROM t"))), [{ v: 1 }]);
    await after.run(sql("INSERT INTO t VALUES (2)"));
    await after.close();
    await before.close();
  });

  use("is opened again by its owner", async (databases) => {
    await within(databases, "a", (driver) => driver.run(sql("CREATE TABLE t (v)")), 7);
    await within(databases, "a", (driver) => driver.run(sql("INSERT INTO t VALUES (1)")), 7);
    await within(
      databases,
      "a",
      async (driver) => {
        assert.deepEqual(plain(await driver.all(sql("SELECT v FROM t"))), [{ v: 1 }]);
      },
      8,
    );
  });
}

function placeCases(use: Use): void {
  use("keep what is in each, apart from the others", async (databases) => {
    for (const name of ["a", "b"]) {
      await within(databases, name, async (driver) => {
        await driver.run(sql("CREATE TABLE t (v)"));
        await driver.run(sql("INSERT INTO t VALUES (?)", name));
      });
    }
    for (const name of ["a", "b"]) {
      await within(databases, name, async (driver) => {
        assert.deepEqual(plain(await driver.all(sql("SELECT v FROM t"))), [{ v: name }]);
      });
    }
  });

  use("are open beside each other, many at once", async (databases) => {
    const names = Array.from({ length: 40 }, (_, i) => `n-${i}`);
    const drivers = await Promise.all(names.map((name) => databases.open(name)));
    for (const driver of drivers) await driver.run(sql("CREATE TABLE t (v)"));
    for (const driver of drivers) await driver.close();
  });

  use("are deleted, and new when they are opened again", async (databases) => {
    await databases.delete("never-made");
    await within(databases, "a", (driver) => driver.run(sql("CREATE TABLE t (v)")));
    await databases.delete("a");
    await within(databases, "a", async (driver) => {
      assert.deepEqual(await driver.all(sql("SELECT * FROM sqlite_master")), []);
    });
  });

  use("have no other names than those that are safe everywhere", async (databases) => {
    for (const name of ["", ".", "..", "../a", "a/b", "a\\b", "a b", "a\0", "x".repeat(129)]) {
      await assert.rejects(async () => await databases.open(name), RangeError, name);
      await assert.rejects(async () => await databases.delete(name), RangeError, name);
    }
  });
}

function statementCases(use: Use, owner: number | undefined): void {
  const useOne = (title: string, run: (driver: SqlDriver) => Promise<void>): void =>
    use(title, (databases) =>
      within(
        databases,
        "a",
        async (driver) => {
          await driver.run(sql("CREATE TABLE t (n INTEGER PRIMARY KEY, v UNIQUE)"));
          await run(driver);
        },
        owner,
      ),
    );

  useOne("goes on in a transaction over several calls, until it is committed", async (driver) => {
    const first = await begin(driver);
    await first.run(sql("INSERT INTO t (v) VALUES (1)"));
    assert.deepEqual(plain(await first.all(sql("SELECT v FROM t"))), [{ v: 1 }]);
    await first.rollBack();
    await first.rollBack();
    assert.deepEqual(await driver.all(sql("SELECT v FROM t")), []);
    const second = await begin(driver);
    await second.run(sql("INSERT INTO t (v) VALUES (2)"));
    await rejects(second, "INSERT INTO t (v) VALUES (2)");
    await second.run(sql("INSERT INTO t (v) VALUES (3)"));
    await second.commit();
    assert.deepEqual(plain(await driver.all(sql("SELECT v FROM t"))), [{ v: 2 }, { v: 3 }]);
  });

  use("forgets what was not committed when it is closed", async (databases) => {
    const leave = async (driver: SqlDriver): Promise<void> => {
      await driver.run(sql("CREATE TABLE t (v)"));
      const unfinished = await begin(driver);
      await unfinished.run(sql("INSERT INTO t VALUES (1)"));
    };
    const look = async (driver: SqlDriver): Promise<void> => {
      assert.deepEqual(await driver.all(sql("SELECT v FROM t")), []);
      await (await begin(driver)).commit();
    };
    await within(databases, "a", leave, owner);
    await within(databases, "a", look, owner);
  });

  useOne("gives back the rows of statements that change some", async (driver) => {
    const rows = await driver.all(sql("INSERT INTO t (v) VALUES (?), (?) RETURNING n", "a", "b"));
    assert.deepEqual(plain(rows), [{ n: 1 }, { n: 2 }]);
  });

  useOne("says of every mistake in a statement that it is one", async (driver) => {
    await driver.run(sql("INSERT INTO t (v) VALUES (1)"));
    for (const mistake of [
      "SELEKT 1",
      "SELECT",
      "SELECT 'open",
      "SELECT * FROM absent",
      "SELECT absent FROM t",
      "SELECT absent()",
      "SELECT abs(1, 2)",
      "INSERT INTO t (v) VALUES (1)",
      "INSERT INTO t VALUES (1)",
      "INSERT INTO t (absent) VALUES (1)",
      "INSERT INTO t (n) VALUES ('text')",
      "CREATE TABLE t (v)",
      "SELECT n FROM t a, t b",
      "COMMIT",
      "SELECT json('no json')",
      "SELECT abs(-9223372036854775808)",
    ]) {
      await rejects(driver, mistake);
    }
    assert.equal((await driver.all(sql("SELECT * FROM t"))).length, 1);
  });
}

async function within(
  databases: SqlDatabases,
  name: string,
  run: (driver: SqlDriver) => void | Promise<void>,
  owner?: number,
): Promise<void> {
  const driver = await databases.open(name, owner);
  try {
    await run(driver);
  } finally {
    await driver.close();
  }
}

async function begin(driver: SqlDriver): Promise<SqlTransaction> {
  assert.ok(driver.begin, "a database of an actor has transactions");
  return await driver.begin();
}

async function rejects(place: SqlDriver | SqlTransaction, mistake: string): Promise<void> {
  await assert.rejects(
    async () => await place.run(sql(mistake)),
    (error) => {
      assert.ok(ActrError.is(error), mistake);
      assert.deepEqual([error.code, error.details?.["fault"]], ["storage", "statement"], mistake);
      return true;
    },
  );
}

function sql(text: string, ...args: readonly SqlValue[]): SqlStatement {
  return { sql: text, args };
}

/** Rows without the prototypes that a binding may give them. */
function plain(rows: readonly SqlRow[]): SqlRow[] {
  return rows.map((row) => ({ ...row }));
}
