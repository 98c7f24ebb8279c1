import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { openWorkerDriver } from "../../adapters/sql/worker_driver.ts";
import type { SqlDriver } from "../../src/ports/sql_driver.ts";
import { Program, thisRuntime } from "../fixtures/runtimes.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** Long enough to be under way when the next line of a test runs. */
const slow = {
  sql: `INSERT INTO t WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000)
    SELECT max(x) FROM n`,
  args: [],
};
const count = { sql: "SELECT count(*) AS n FROM t", args: [] };

/** A driver in a thread, and that thread: the driver shows it to nobody. */
async function open(path: string): Promise<{ driver: SqlDriver; thread: Worker }> {
  const { postMessage } = Worker.prototype;
  const threads: Worker[] = [];
  Worker.prototype.postMessage = function (this: Worker, ...given): void {
    threads.push(this);
    postMessage.apply(this, given);
  };
  try {
    const driver = await openWorkerDriver(path, "full");
    await driver.run({ sql: "CREATE TABLE IF NOT EXISTS t (x INTEGER)", args: [] });
    const [thread] = threads;
    assert.ok(thread);
    return { driver, thread };
  } finally {
    Worker.prototype.postMessage = postMessage;
  }
}

/** Resolves when the thread has reported so often; several may come in one turn. */
function reports(thread: Worker, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    thread.on("message", () => {
      // The driver lets go of a thread that nobody waits for.
      thread.ref();
      if (--left === 0) resolve();
    });
  });
}

describe("a driver in a thread of its own", () => {
  it("leaves nobody waiting when the thread dies", { timeout: 60_000 }, async () => {
    await using folder = await temporaryFolder();
    const { driver, thread } = await open(join(folder.path, "test.db"));
    const gone = { code: "storage", message: /thread has ended; open the store again/ };
    const waiting = [driver.batch([slow]), driver.all(count), driver.run(slow)];
    const ends = waiting.map((each) => assert.rejects(Promise.resolve(each), gone));
    const done = reports(thread, waiting.length);
    // Told, not done: a thread that is ended within a statement takes the process of Node 20 along.
    thread.emit("exit", 1);
    await Promise.all(ends);
    await done;
    await thread.terminate();
    await assert.rejects(Promise.resolve(driver.all(count)), gone);
    await assert.rejects(Promise.resolve(driver.close()), gone);
  });

  it("closes once what it was given is done, and takes nothing more", {
    timeout: 60_000,
  }, async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "test.db");
    const { driver, thread } = await open(path);
    const ended = once(thread, "exit");
    const batch = driver.batch([slow, slow]);
    const closed = driver.close();
    const late = assert.rejects(Promise.resolve(driver.batch([slow])), { code: "storage" });
    await Promise.all([batch, closed, late, driver.close(), ended]);
    await assert.rejects(Promise.resolve(driver.all(count)), { code: "storage" });
    const { driver: next } = await open(path);
    assert.deepEqual(await next.all(count), [{ n: 2 }]);
    await next.close();
  });

  it("does not keep a process alive that leaves it open", { timeout: 60_000 }, async () => {
    await using folder = await temporaryFolder();
    await using program = new Program(thisRuntime, "test/fixtures/idle_store.ts", [
      `file:${join(folder.path, "test.db")}`,
    ]);
    const ended = once(program.process, "exit");
    await program.line();
    assert.deepEqual(await ended, [0, null], program.errors);
  });
});
