import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromGuestError } from "../../../src/guest/guest_error.ts";

describe("what a guest throws", () => {
  it("[GD-9] reaches its caller however long it is: cut, since what is too long to be sent is no answer", () => {
    const long = "x".repeat(5_000_000);
    const told = fromGuestError({ code: "dependency_not_found", message: long, service: long });
    assert.equal(told.code, "dependency_not_found");
    assert.ok(told.display.length < 40_000);
    assert.ok(fromGuestError({ code: "internal", message: long }).message.length >= 16_384);
  });

  it("[GD-9] says when to come again in whole milliseconds that can be sent, whatever it said", () => {
    const told = (retryAfterMs: number): number | undefined =>
      fromGuestError({ code: "connection_not_ready", message: "", retryAfterMs }).retryAfterMs;
    assert.deepEqual([1.5, -5, 7].map(told), [2, 0, 7]);
    assert.equal(String(told(2 ** 64)).length, 15);
    assert.equal(String(told(Number.POSITIVE_INFINITY)).length, 15);
  });
});
