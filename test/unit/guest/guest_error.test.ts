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
});
