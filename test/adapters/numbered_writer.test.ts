import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { openLibsqlClient } from "../../adapters/sql/libsql_client.ts";
import { NumberedWriter } from "../../adapters/sql/numbered_writer.ts";
import { ActrError } from "../../src/errors.ts";
import type { SqlDriver, SqlStatement } from "../../src/ports/sql_driver.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const lostAnswer = () => new ActrError("storage", "no answer", { details: { fault: "database" } });
const plain = (sql: string): SqlStatement => ({ sql, args: [] });
const put = (n: number): SqlStatement[] => [{ sql: "INSERT INTO t VALUES (?)", args: [n] }];

/** A writer over a database whose next calls end as a test says. */
async function world() {
  const folder = await temporaryFolder();
  const url = `file:${join(folder.path, "test.db")}`;
  const inner = await openLibsqlClient({ url, durability: "normal" });
  await inner.batch(
    [
      "CREATE TABLE t (n INTEGER)",
      "CREATE TABLE meta (fence INTEGER)",
      "CREATE TABLE commit_mark (fence INTEGER PRIMARY KEY, number INTEGER)",
      "INSERT INTO meta VALUES (7)",
      "INSERT INTO commit_mark VALUES (7, 0)",
    ].map(plain),
  );
  /** What becomes of the next batches; when there are no more, they pass. */
  const fates: ((send: () => Promise<void>) => Promise<void>)[] = [];
  const driver = new Proxy(inner, {
    get: (target, name) =>
      name === "batch"
        ? (...args: Parameters<SqlDriver["batch"]>) => {
            const send = async () => target.batch(...args);
            return (fates.shift() ?? ((pass) => pass()))(send);
          }
        : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
  });
  const clock = new FakeClock();
  const ending = new AbortController();
  const failures: unknown[] = [];
  return {
    clock,
    fates,
    inner,
    ending,
    failures,
    writer: new NumberedWriter(driver, {
      clock,
      fence: 7,
      shared: false,
      signal: ending.signal,
      onFailure: (error) => failures.push(error),
    }),
    contents: async () => (await inner.all(plain("SELECT n FROM t ORDER BY n"))).map(({ n }) => n),
    [Symbol.asyncDispose]: async () => {
      await inner.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const isLost = (error: unknown) => ActrError.is(error) && error.message === "no answer";

describe("a writer whose answers may be lost", () => {
  it("finds that a batch took effect", async () => {
    await using w = await world();
    w.fates.push(async (send) => {
      await send();
      throw lostAnswer();
    });
    await w.writer.write(put(1));
    await w.writer.write(put(2));
    assert.deepEqual(await w.contents(), [1, 2]);
  });

  it("finds that a batch did not, and goes on", async () => {
    await using w = await world();
    w.fates.push(() => Promise.reject(lostAnswer()));
    await assert.rejects(w.writer.write(put(1)), isLost);
    await w.writer.write(put(2));
    assert.deepEqual(await w.contents(), [2]);
  });

  it("makes sure that a batch which is still on its way does nothing any more", async () => {
    await using w = await world();
    let late: (() => Promise<void>) | undefined;
    w.fates.push((send) => {
      late = send;
      return Promise.reject(lostAnswer());
    });
    await assert.rejects(w.writer.write(put(1)), isLost);
    await assert.rejects(
      async () => late?.(),
      (error) => ActrError.is(error) && error.code === "lease_lost",
    );
    await w.writer.write(put(2));
    assert.deepEqual(await w.contents(), [2]);
  });

  it("believes a batch that arrives twice once", async () => {
    await using w = await world();
    w.fates.push(async (send) => {
      await send();
      await send();
    });
    await w.writer.write(put(1));
    assert.deepEqual(await w.contents(), [1]);
  });

  it("hears of a batch that passes while it asks", async () => {
    await using w = await world();
    let late: (() => Promise<void>) | undefined;
    w.fates.push((send) => {
      late = send;
      return Promise.reject(lostAnswer());
    });
    w.fates.push(async (skip) => {
      await late?.();
      await skip();
    });
    await w.writer.write(put(1));
    assert.deepEqual(await w.contents(), [1]);
  });

  it("asks until somebody answers, telling of each failure", async () => {
    for (const applied of [true, false]) {
      await using w = await world();
      w.fates.push(async (send) => {
        if (applied) await send();
        throw lostAnswer();
      });
      const all = w.inner.all.bind(w.inner);
      w.inner.all = () => Promise.reject(lostAnswer());
      let ended = false;
      const write = w.writer.write(put(1)).then(
        () => true,
        () => false,
      );
      void write.then(() => {
        ended = true;
      });
      for (let ms = 0; w.failures.length < 20; ms += 100) {
        assert.ok(ms < 60_000, `${w.failures.length} failures`);
        await w.clock.advance(100);
      }
      assert.equal(ended, false);
      w.inner.all = all;
      await w.clock.advance(100);
      assert.equal(await write, applied);
      await w.writer.write(put(2));
      assert.deepEqual(await w.contents(), applied ? [1, 2] : [2]);
    }
  });

  it("says that it does not know when it is told to end first", async () => {
    await using w = await world();
    w.fates.push(() => Promise.reject(lostAnswer()));
    w.inner.all = () => Promise.reject(lostAnswer());
    const refused = assert.rejects(
      w.writer.write(put(1)),
      (error) => ActrError.is(error) && error.details?.["unknown"] === true,
    );
    w.ending.abort();
    await refused;
    await assert.rejects(w.writer.write(put(2)));
  });

  it("tells the truth about its last batch after another owner took over", async () => {
    for (const applied of [true, false]) {
      await using w = await world();
      w.fates.push(async (send) => {
        if (applied) await send();
        await w.inner.run(plain("UPDATE meta SET fence = 8"));
        throw lostAnswer();
      });
      const write = w.writer.write(put(1));
      if (applied) await write;
      else await assert.rejects(write, (e) => ActrError.is(e) && e.code === "lease_lost");
      await assert.rejects(
        w.writer.write(put(2)),
        (error) => ActrError.is(error) && error.code === "lease_lost",
      );
      assert.deepEqual(await w.contents(), applied ? [1] : []);
    }
  });

  it("takes a statement at fault for an answer", async () => {
    await using w = await world();
    await assert.rejects(
      w.writer.write([plain("INSERT INTO nowhere VALUES (1)")]),
      (error) => ActrError.is(error) && error.details?.["fault"] === "statement",
    );
    await w.writer.write(put(1));
    assert.deepEqual(await w.contents(), [1]);
  });
});
