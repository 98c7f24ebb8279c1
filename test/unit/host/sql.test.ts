import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { MemoryDatabases } from "../../../adapters/sql/memory_databases.ts";
import { actor, type SqlMigration, type SqlStatements } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import type { SqlDatabases } from "../../../src/ports/sql_databases.ts";
import type { SqlDriver, SqlValue } from "../../../src/ports/sql_driver.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { failureOf, Rig } from "./support.ts";

/** What the code of an actor is told from outside. */
interface Controls {
  gate: ReturnType<typeof withResolvers<void>>;
  tx: SqlStatements | undefined;
}

function notes(migrations: readonly SqlMigration[], controls?: Controls) {
  return actor({
    sql: { migrations },
    actions: {
      add: (c, text: string) => c.sql.run("INSERT INTO notes (text) VALUES (?)", text),
      async all(c) {
        const rows = await c.sql.all<{ text: string }>("SELECT text FROM notes ORDER BY id");
        return rows.map(({ text }) => text);
      },
      get: (c, sql: string, ...args: (string | number)[]) => c.sql.get(sql, ...args),
      ask: (c, sql: string, ...args: unknown[]) => c.sql.all(sql, ...(args as SqlValue[])),
      batch: (c, texts: readonly (string | null)[]) =>
        c.sql.batch(texts.map((text) => ["INSERT INTO notes (text) VALUES (?)", text])),
      swap: (c, from: string, to: string) =>
        c.sql.transaction(async (tx) => {
          await tx.run("DELETE FROM notes WHERE text = ?", from);
          await tx.run("INSERT INTO notes (text) VALUES (?)", to);
          if (to === "bad") throw new Error("bad");
          return await tx.get<{ n: number }>("SELECT count(*) AS n FROM notes");
        }),
      slowly: (c) =>
        c.sql.transaction(async (tx) => {
          if (controls !== undefined) controls.tx = tx;
          await tx.run("INSERT INTO notes (text) VALUES ('slow')");
          await controls?.gate.promise;
        }),
      many: async (c, count: number) => {
        const asked = Array.from({ length: count }, () => c.sql.get("SELECT 1"));
        const outcomes = await Promise.allSettled(asked);
        return outcomes.filter(({ status }) => status === "rejected").length;
      },
      end: (c) => c.destroy(),
    },
    actionOptions: {
      all: { turn: "interleaved" },
      add: { turn: "interleaved" },
      slowly: { turn: "interleaved", timeoutMs: 120_000 },
    },
    options: { sleepGraceMs: 1000 },
  });
}

const first = ["CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"];

/** Databases that count how many are open. */
class CountedDatabases implements SqlDatabases {
  readonly shared = false;
  readonly #databases = new MemoryDatabases();
  opened = 0;
  most = 0;
  readonly deleted: string[] = [];

  async open(name: string): Promise<SqlDriver> {
    const driver = await this.#databases.open(name);
    this.opened += 1;
    this.most = Math.max(this.most, this.opened);
    const close = driver.close.bind(driver);
    driver.close = () => {
      this.opened -= 1;
      return close();
    };
    return driver;
  }

  async delete(name: string): Promise<void> {
    this.deleted.push(name);
    await this.#databases.delete(name);
  }
}

/** Databases that nodes share: an owner does nothing any more once there is a greater one. */
class SharedDatabases implements SqlDatabases {
  readonly shared = true;
  readonly #databases = new MemoryDatabases();
  readonly #owners = new Map<string, number>();
  /** Numbers of owners, as they came. */
  readonly claims: (number | undefined)[] = [];

  async open(name: string, owner = 0): Promise<SqlDriver> {
    this.claims.push(owner);
    const check = (): void => {
      if (owner < (this.#owners.get(name) ?? 0)) throw new ActrError("lease_lost", "a later owner");
    };
    check();
    this.#owners.set(name, owner);
    const driver = await this.#databases.open(name);
    const all = driver.all.bind(driver);
    driver.all = (statement) => {
      check();
      return all(statement);
    };
    return driver;
  }

  async delete(name: string): Promise<void> {
    await this.#databases.delete(name);
  }
}

function begin(migrations: readonly SqlMigration[] = [first], maxDatabases = 10) {
  const databases = new CountedDatabases();
  const controls: Controls = { gate: withResolvers<void>(), tx: undefined };
  const store = new MemoryStore();
  const rig = new Rig({ notes: notes(migrations, controls) }, { databases, store, maxDatabases });
  return { rig, databases, controls, store };
}

/** Begins a transaction that goes on until its gate is opened; what becomes of it is in a list, so that it is not awaited here. */
async function beginSlowly(rig: Rig, controls: Controls, key: string): Promise<Promise<unknown>[]> {
  controls.tx = undefined;
  const slow = rig.act("notes", key, "slowly");
  slow.catch(() => {});
  await settledUntil(rig.clock, "the transaction has begun", () => controls.tx !== undefined);
  return [slow];
}

describe("an actor's own database", () => {
  it("is its own, is opened when it is used, and keeps what is in it while the actor sleeps", async () => {
    const { rig, databases } = begin();
    await rig.act("notes", "b", "many", 0);
    assert.equal(databases.opened, 0);
    await rig.act("notes", "a", "add", "one");
    await rig.act("notes", "b", "add", "other");
    assert.equal(databases.opened, 2);
    await rig.clock.advance(30_000);
    assert.deepEqual([rig.host.awake, databases.opened], [0, 0]);
    await rig.act("notes", "a", "add", "two");
    assert.deepEqual(await rig.act("notes", "a", "all"), ["one", "two"]);
    assert.deepEqual(await rig.act("notes", "b", "all"), ["other"]);
    await rig.clock.advance(30_000);
    await rig.act("notes", "a", "many", 0);
    assert.equal(databases.opened, 0);
    await rig.close();
  });

  it("keeps, like all that was written, what an action wrote that failed", async () => {
    const { rig } = begin();
    await rig.act("notes", "a", "add", "one");
    await failureOf(rig.act("notes", "a", "get", "no sql"));
    assert.deepEqual(await rig.act("notes", "a", "all"), ["one"]);
    await rig.close();
  });

  it("writes a batch whole, or not at all", async () => {
    const { rig } = begin();
    await rig.act("notes", "a", "batch", ["one", "two"]);
    const failure = await failureOf(rig.act("notes", "a", "batch", ["three", null]));
    assert.equal(failure.code, "sqlite.statement_failed");
    assert.deepEqual(await rig.act("notes", "a", "all"), ["one", "two"]);
    await rig.close();
  });

  it("names what is wrong with a statement, and not where its file is", async () => {
    const { rig } = begin();
    for (const [sql, text] of [
      ["SELECT * FROM absent", /no such table: absent/],
      ["SELECT absent()", /no such function: absent/],
      ["SELEKT 1", /near "SELEKT": syntax error/],
      ["CREATE TABLE notes (id)", /already exists/],
    ] as const) {
      const failure = await failureOf(rig.act("notes", "a", "ask", sql));
      assert.equal(failure.code, "sqlite.statement_failed", sql);
      assert.match(failure.message, text);
      assert.doesNotMatch(failure.message, /memory|sqlite/i);
    }
    for (const [value, text] of [
      [undefined, /parameter 1 is undefined/],
      [true, /parameter 1 is true/],
      [Number.NaN, /parameter 1 is NaN/],
      [{}, /parameter 1 is an instance of Object/],
    ] as const) {
      const failure = await failureOf(rig.act("notes", "a", "ask", "SELECT ?", value));
      assert.equal(failure.code, "sqlite.invalid_bind_parameter");
      assert.match(failure.message, text);
    }
    await rig.close();
  });

  it("takes no more than 128 statements at once", async () => {
    const { rig } = begin();
    assert.equal(await rig.act("notes", "a", "many", 128), 0);
    assert.equal(await rig.act("notes", "a", "many", 131), 3);
    await rig.close();
  });

  it("is there for definitions that ask for it, on nodes that have a place for it", async () => {
    const plain = actor({ actions: { ask: (c) => c.sql.all("SELECT 1") } });
    const { rig, databases } = begin();
    const without = new Rig({ notes: notes([first]) });
    const unasked = new Rig({ plain }, { databases });
    for (const [asked, name] of [
      [without, "notes"],
      [unasked, "plain"],
    ] as const) {
      const failure = await failureOf(asked.act(name, "a", "ask", "SELECT 1"));
      assert.equal(failure.code, "sqlite.not_configured");
      await asked.close();
    }
    await rig.close();
  });
});

describe("migrations of an actor's database", () => {
  it("are run once each, also those that came later, and those that are code", async () => {
    const databases = new MemoryDatabases();
    const store = new MemoryStore();
    const steps: SqlMigration[] = [first];
    const rig = new Rig({ notes: notes(steps) }, { databases, store });
    await rig.act("notes", "a", "add", "one");
    await rig.close();
    let ran = 0;
    steps.push(["ALTER TABLE notes ADD COLUMN kind TEXT DEFAULT 'plain'"], async (tx) => {
      ran += 1;
      for (const { id } of await tx.all<{ id: number }>("SELECT id FROM notes")) {
        await tx.run("UPDATE notes SET kind = ? WHERE id = ?", `kind ${id}`, id);
      }
    });
    for (let life = 0; life < 2; life++) {
      const next = new Rig({ notes: notes(steps) }, { databases, store: store.reopen() });
      const row = await next.act("notes", "a", "get", "SELECT text, kind FROM notes");
      assert.deepEqual({ ...(row as object) }, { text: "one", kind: "kind 1" });
      await next.close();
    }
    assert.equal(ran, 1);
  });

  it("that fail leave the database as it was, and are tried again", async () => {
    let works = false;
    const { rig, databases } = begin([
      first,
      async (tx) => {
        await tx.run("INSERT INTO notes (text) VALUES ('by the step')");
        if (!works) throw new Error("not yet");
      },
    ]);
    assert.match((await failureOf(rig.act("notes", "a", "all"))).message, /not yet/);
    assert.equal(databases.opened, 0);
    works = true;
    assert.deepEqual(await rig.act("notes", "a", "all"), ["by the step"]);
    await rig.close();
  });

  it("refuse a database that is newer than they are", async () => {
    const databases = new MemoryDatabases();
    const store = new MemoryStore();
    const newer = new Rig({ notes: notes([first, []]) }, { databases, store });
    await newer.act("notes", "a", "add", "one");
    await newer.close();
    const older = new Rig({ notes: notes([first]) }, { databases, store });
    const failure = await failureOf(older.act("notes", "a", "all"));
    assert.equal(failure.code, "sqlite.not_configured");
    assert.match(failure.message, /has version 2; its definition knows 1/);
    await older.close();
  });
});

describe("a transaction of an actor's database", () => {
  it("is committed when its code has ended, and rolled back when that throws", async () => {
    const { rig } = begin();
    await rig.act("notes", "a", "add", "one");
    assert.deepEqual(
      { ...((await rig.act("notes", "a", "swap", "one", "two")) as object) },
      { n: 1 },
    );
    await failureOf(rig.act("notes", "a", "swap", "two", "bad"));
    assert.deepEqual(await rig.act("notes", "a", "all"), ["two"]);
    await rig.close();
  });

  it("is waited for by all else, and over when it is over", async () => {
    const { rig, controls } = begin();
    const [slow] = await beginSlowly(rig, controls, "a");
    const seen: unknown[] = [];
    const reading = rig.act("notes", "a", "all").then((all) => seen.push(all));
    await rig.clock.settle();
    assert.deepEqual(seen, []);
    controls.gate.resolve();
    await Promise.all([slow, reading]);
    assert.deepEqual(seen, [["slow"]]);
    const late = await failureOf(controls.tx?.run("DELETE FROM notes") ?? Promise.resolve());
    assert.equal(late.code, "sqlite.closed");
    await rig.close();
  });

  it("is rolled back after 60 s", async () => {
    const { rig, controls } = begin();
    const [slow] = await beginSlowly(rig, controls, "a");
    await rig.clock.advance(60_000);
    assert.equal((await failureOf(slow as Promise<unknown>)).code, "timed_out");
    assert.deepEqual(await rig.act("notes", "a", "all"), []);
    await rig.close();
  });

  it("is rolled back when its actor stops, and what comes late is refused", async () => {
    const { rig, controls } = begin();
    const [slow] = await beginSlowly(rig, controls, "a");
    const { id } = await rig.instance("notes", "a");
    const stopping = rig.host.stop(id, "sleep");
    await rig.clock.advance(1000);
    await stopping;
    await failureOf(slow as Promise<unknown>);
    const late = await failureOf(controls.tx?.run("DELETE FROM notes") ?? Promise.resolve());
    assert.equal(late.code, "sqlite.closed");
    assert.deepEqual(await rig.act("notes", "a", "all"), []);
    await rig.close();
  });
});

describe("the end of an actor's database", () => {
  it("comes with the end of the actor", async () => {
    const { rig, databases } = begin();
    await rig.act("notes", "a", "add", "one");
    await rig.act("notes", "a", "end");
    await rig.clock.settle();
    assert.equal(databases.deleted.length, 1);
    assert.deepEqual(await rig.act("notes", "a", "all"), []);
    await rig.close();
  });

  it("comes after a crash that cut the end of the actor short", async () => {
    const databases = new CountedDatabases();
    const store = new MemoryStore();
    await store.commit([
      { kind: "record.put", space: "actors-gone", key: "some-id", value: new Uint8Array(0) },
    ]);
    const rig = new Rig({ notes: notes([first]) }, { databases, store });
    await rig.clock.settle();
    assert.deepEqual(databases.deleted, ["some-id"]);
    await rig.close();
  });
});

describe("a database that other nodes reach", () => {
  it("is claimed by each life before anything of it runs, whether it is used or not", async () => {
    const databases = new SharedDatabases();
    const store = new MemoryStore();
    const rig = new Rig({ notes: notes([first]) }, { databases, store });
    await rig.act("notes", "a", "many", 0);
    assert.deepEqual(databases.claims, []);
    for (const life of [2, 3]) {
      await rig.clock.advance(30_000);
      assert.equal(rig.host.awake, 0);
      await rig.act("notes", "a", "many", 0);
      assert.deepEqual(databases.claims.at(-1), life);
    }
    assert.equal(databases.claims.length, 2);
    await rig.close();
  });

  it("ends an earlier life that asks it for something, a read too", async () => {
    const databases = new SharedDatabases();
    const store = new MemoryStore();
    const early = new Rig({ notes: notes([first]) }, { databases, store });
    await early.act("notes", "a", "add", "one");
    const late = new Rig(
      { notes: notes([first]) },
      { databases, store: store.share(), clock: early.clock, seed: 2 },
    );
    await late.act("notes", "a", "add", "two");
    assert.deepEqual((await failureOf(early.act("notes", "a", "all"))).code, "actor.restarting");
    assert.equal(early.host.awake, 0);
    assert.deepEqual(await late.act("notes", "a", "all"), ["one", "two"]);
    await late.close();
    await early.close();
  });

  it("is not opened by a life whose number is not on disk", async () => {
    const databases = new SharedDatabases();
    const store = new MemoryStore();
    const rig = new Rig({ notes: notes([first]) }, { databases, store });
    await rig.act("notes", "a", "add", "one");
    await rig.clock.advance(30_000);
    store.fail("the disk is full");
    assert.equal((await failureOf(rig.act("notes", "a", "all"))).code, "storage");
    assert.deepEqual(databases.claims, [1]);
    store.fail(undefined);
    assert.deepEqual(await rig.act("notes", "a", "all"), ["one"]);
    assert.deepEqual(databases.claims, [1, 2]);
    await rig.close();
  });
});

describe("the databases of a node", () => {
  it("are open in a bounded number: those that rest make room", async () => {
    const { rig, databases } = begin([first], 2);
    for (const round of [1, 2]) {
      for (const key of ["a", "b", "c", "d"]) await rig.act("notes", key, "add", `${round}`);
    }
    for (const key of ["a", "b", "c", "d"]) {
      assert.deepEqual(await rig.act("notes", key, "all"), ["1", "2"]);
    }
    assert.deepEqual([databases.most, databases.opened], [2, 2]);
    await rig.close();
    assert.equal(databases.opened, 0);
  });

  it("are refused, to be tried again, when all are in use", async () => {
    const { rig, controls } = begin([first], 2);
    const slow = [
      ...(await beginSlowly(rig, controls, "a")),
      ...(await beginSlowly(rig, controls, "b")),
    ];
    const failure = await failureOf(rig.act("notes", "c", "all"));
    assert.deepEqual([failure.code, failure.retryAfterMs], ["actor.overloaded", 1000]);
    controls.gate.resolve();
    await Promise.all(slow);
    assert.deepEqual(await rig.act("notes", "c", "all"), []);
    await rig.close();
  });
});
