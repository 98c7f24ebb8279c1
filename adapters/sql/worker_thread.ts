/** The thread of a worker driver: opens the file with the runtime's best binding, then does what it is told, in order. */
import { parentPort, workerData } from "node:worker_threads";
import { ActrError } from "../../src/errors.ts";
import type { SqlDriver, SqlRow } from "../../src/ports/sql_driver.ts";
import { openLocalDriver } from "./local_driver.ts";
import type { WorkerFile, WorkerReport, WorkerTask } from "./worker_messages.ts";

const port = parentPort;
if (port === null) throw new TypeError("worker_thread.ts is run by worker_driver.ts, as a thread");
const report = (message: WorkerReport): void => port.postMessage(message);
const { path, durability } = workerData as WorkerFile;

try {
  const driver = await openLocalDriver(path, durability);
  port.on("message", (task: WorkerTask) => void perform(driver, task));
  report({ kind: "opened", name: driver.name });
} catch (error) {
  fail(error);
}

/** Only closing takes more than one turn, and the driver sends nothing after it: so reports are in order. */
async function perform(driver: SqlDriver, task: WorkerTask): Promise<void> {
  try {
    const rows = work(driver, task);
    report({ kind: "done", rows: rows instanceof Promise ? await rows : rows });
  } catch (error) {
    fail(error);
  }
}

function work(
  driver: SqlDriver,
  task: WorkerTask,
): SqlRow[] | undefined | Promise<SqlRow[] | undefined> {
  switch (task.kind) {
    case "all":
      return driver.all(task.statement);
    case "run":
      return void driver.run(task.statement);
    case "batch":
      return void driver.batch(task.statements, task.guard);
    case "close":
      return Promise.resolve(driver.close()).then(() => undefined);
  }
}

function fail(error: unknown): void {
  const { code, message, details } = ActrError.from(error, "storage");
  report({ kind: "failed", failure: { code, message, details } });
}
