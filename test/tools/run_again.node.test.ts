import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TestResult } from "./junit.ts";
import { runAgain } from "./run_again.ts";
import type { Job, JobEnd } from "./run_file.ts";
import type { Runtime } from "./runtimes.ts";

const result = (file: string, status: TestResult["status"]): TestResult => ({
  runtime: "node",
  file,
  name: "a test",
  status,
});

function end(file: string, status: TestResult["status"]): JobEnd {
  const job: Job = { runtime: { name: "node" } as Runtime, files: [file] };
  return { job, results: [result(file, status)] };
}

/** Runs that end as told, one after the other, and which files they were. */
function runner(...statuses: TestResult["status"][]) {
  const files: string[] = [];
  const run = async ({ files: [file] }: Job): Promise<TestResult[]> => {
    files.push(file);
    return [result(file, statuses.shift() ?? "failed")];
  };
  return { files, run };
}

const [socket, disk] = ["test/integration/a.test.ts", "test/faults/b.test.ts"];

describe("what failed beside other processes", () => {
  it("passes when it passes twice alone, and is told to have flaked", async () => {
    const { files, run } = runner("passed", "passed");
    const [, settled] = await runAgain([end(disk, "passed"), end(socket, "failed")], run);
    assert.deepEqual(files, [socket, socket]);
    const flaked = `node · ${socket} · a test`;
    assert.deepEqual(settled?.results, [{ ...result(socket, "passed"), flaked }]);
  });

  for (const [when, statuses] of [
    ["the first time", ["failed"]],
    ["the second time", ["passed", "failed"]],
    ["no more, but is skipped", ["skipped", "passed"]],
  ] as const) {
    it(`stays failed when it fails ${when}`, async () => {
      const ends = [end(socket, "failed")];
      const { run } = runner(...statuses);
      assert.deepEqual(await runAgain(ends, run), ends);
    });
  }

  it("is not run again when nothing but memory is involved, or more than three failed", async () => {
    for (const ends of [
      [end(socket, "failed"), end("test/unit/host/a.test.ts", "failed")],
      [1, 2, 3, 4].map((number) => end(`test/faults/${number}.test.ts`, "failed")),
      [end(socket, "passed")],
    ]) {
      const { files, run } = runner();
      assert.deepEqual(await runAgain(ends, run), ends);
      assert.deepEqual(files, []);
    }
  });
});
