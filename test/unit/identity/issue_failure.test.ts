import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { classifyFailure, retryAfterSeconds } from "../../../src/identity/issue_failure.ts";
import vectors from "../../vectors/behaviour.json" with { type: "json" };

describe("failures of the identity service", () => {
  it("[V-behaviour.renew_http_classification] classifies statuses", () => {
    for (const [status, expected] of vectors.renew_http_classification) {
      assert.equal(classifyFailure(Number(status)), expected, `status ${status}`);
    }
  });

  it("[V-behaviour.retry_after] reads whole seconds only", () => {
    for (const [header, expected] of vectors.retry_after) {
      const read = retryAfterSeconds(header === null ? null : String(header));
      assert.equal(read ?? null, expected, `header ${header}`);
    }
  });
});
