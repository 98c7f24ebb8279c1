import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { idsIn, provenIds, reportDocuments, unknownIds } from "./acceptance_report.ts";
import type { TestResult } from "./junit.ts";

const result = (
  runtime: string,
  name: string,
  status: TestResult["status"] = "passed",
): TestResult => ({ runtime, file: "test/a.test.ts", name, status });

describe("acceptance", () => {
  it("reads ids from a title, leading noughts aside", () => {
    assert.deepEqual(idsIn("x [N-7] [ND-03] > y [V-protocol.ids] [text]"), [
      ...["N-7", "ND-3", "V-protocol.ids"],
    ]);
  });

  it("counts an id only if its test passed wherever it ran", () => {
    const results = [
      ...[result("node", "a [N-1]"), result("bun", "a [N-1]")],
      ...[result("node", "b [N-2]"), result("bun", "b [N-2]", "failed")],
      ...[result("node", "c > d [N-3]"), result("bun", "c", "failed")],
      ...[result("node", "e [N-4]", "skipped"), result("deno", "e [N-4]")],
    ];
    assert.deepEqual([...provenIds(results)], ["N-1"]);
  });

  it("counts nothing of a file whose process broke", () => {
    const results = [result("node", "a [N-1]"), result("bun", "(process)", "failed")];
    assert.deepEqual([...provenIds(results)], []);
  });

  it("reports totals, proven and missing per document", () => {
    const report = reportDocuments(new Set(["N-2", "V-p.a"]), { N: 3 }, ["p.a", "p.b"]);
    assert.deepEqual(report, {
      N: { total: 3, proven: 1, missing: [1, 3] },
      V: { total: 2, proven: 1, missing: ["p.b"] },
    });
  });

  it("names ids that no document has", () => {
    const results = [result("node", "a [N-4] [V-p.z] [N-1]")];
    assert.deepEqual(unknownIds(results, { N: 3 }, ["p.a"]), ["N-4", "V-p.z"]);
  });
});
