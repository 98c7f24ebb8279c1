import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, errorCodes, type NodeErrorCode } from "../../../src/errors.ts";
import {
  errorMetadata,
  fromLegacyWireError,
  fromWireError,
  fromWireErrorWith,
  toWireError,
} from "../../../src/protocol/wire_error.ts";
import behaviour from "../../vectors/behaviour.json" with { type: "json" };

/** `DecodeFailure` as `decode_failure`. */
function codeOf(variant: string): NodeErrorCode {
  const code = variant.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
  assert.ok(errorCodes.includes(code as NodeErrorCode), code);
  return code as NodeErrorCode;
}

describe("RPC errors on the wire", () => {
  it("[V-behaviour.rpc_error_codes] have one number each, both ways", () => {
    for (const [variant, number] of Object.entries(behaviour.rpc_error_codes)) {
      const code = codeOf(variant);
      assert.equal(toWireError(new ActrError(code, "x")).code, number);
      assert.equal(fromWireError({ code: number, message: "x" }).code, code);
    }
  });

  it("[V-behaviour.rpc_error_codes_legacy_0_3_1] are read, ambiguous ones as the first meaning", () => {
    const seen = new Map<number, NodeErrorCode>();
    for (const [variant, number] of Object.entries(behaviour.rpc_error_codes_legacy_0_3_1)) {
      if (!seen.has(number)) seen.set(number, codeOf(variant));
      const legacy = fromLegacyWireError({ code: number, message: "x" });
      assert.equal(legacy.code, seen.get(number));
      assert.equal(fromWireError({ code: number, message: "x" }).code, "unavailable");
    }
    assert.equal(fromLegacyWireError({ code: 10_003, message: "x" }).code, "not_found");
  });

  it("[V-behaviour.error_display] carry the display text", () => {
    for (const [variant, data, text] of behaviour.error_display) {
      const hint = typeof data === "object" && data !== null ? data : undefined;
      const retryAfterMs = hint && Math.max(0, hint.timeout_ms - hint.elapsed_ms);
      const error = new ActrError(
        codeOf(String(variant)),
        typeof data === "string" ? data : "",
        retryAfterMs === undefined ? {} : { retryAfterMs },
      );
      assert.equal(toWireError(error).message, text);
    }
  });

  it("come back with the message that they left with", () => {
    for (const code of errorCodes) {
      const sent = new ActrError(code, "so: it goes", { public: true, details: { service: "db" } });
      const received = fromWireError(toWireError(sent));
      assert.equal(received.wireCode, sent.wireCode);
      if (code === "timed_out" || code === "connection_not_ready") continue;
      assert.ok(received.message.endsWith("so: it goes"), received.message);
      assert.deepEqual(toWireError(received).code, sent.wireCode);
    }
  });

  it("lose one prefix, not two", () => {
    const twice = { code: 10_003, message: "not found: not found: x" };
    assert.equal(fromWireError(twice).message, "not found: x");
    assert.equal(fromWireError({ code: 10_003, message: "x" }).message, "x");
    assert.equal(fromWireError({ code: 10_002, message: "timed out" }).message, "timed out");
  });

  it("keep the hint, whatever the code (spec/transport.md §15)", () => {
    const ready = (text: string): number | undefined =>
      fromWireError({ code: 10_011, message: text }).retryAfterMs;
    assert.equal(ready("connection not ready: retry_after_ms=Some(4300)"), 4_300);
    assert.equal(ready("connection not ready: retry_after_ms=None"), undefined);
    const busy = new ActrError("overloaded", "mailbox full", { retryAfterMs: 250 });
    const received = fromWireError(toWireError(busy));
    assert.equal(received.code, "unavailable");
    assert.equal(received.retryAfterMs, 250);
    assert.equal(received.message, "overloaded: mailbox full");
    assert.equal(ready(`retry_after_ms=Some(${"9".repeat(400)})`), undefined);
  });

  it("name the dependency that is missing", () => {
    const sent = new ActrError("dependency_not_found", "no lock entry", {
      details: { service: "it's a db" },
    });
    const received = fromWireError(toWireError(sent));
    assert.equal(received.details?.["service"], "it's a db");
    assert.equal(received.message, "no lock entry");
    const foreign = fromWireError({ code: 10_007, message: "gone" });
    assert.equal(foreign.message, "gone");
    assert.equal(foreign.details, undefined);
  });

  it("with an unknown number are unavailable and retryable", () => {
    const error = fromWireError({ code: 42, message: "boom" });
    assert.equal(error.code, "unavailable");
    assert.equal(error.message, "rpc error 42: boom");
    assert.ok(error.retryable);
  });

  it("never show what is not public", () => {
    for (const code of errorCodes) {
      const secret = new ActrError(code, "password is hunter2", {
        public: false,
        details: { service: "hunter2" },
        cause: new Error("hunter2"),
      });
      const { message } = toWireError(secret);
      assert.ok(!message.includes("hunter2"), message);
    }
    const hinted = new ActrError("storage", "/secret/path", { retryAfterMs: 9 });
    assert.match(toWireError(hinted).message, /^unavailable: .*retry_after_ms=Some\(9\)$/);
  });
});

describe("codes of the actor host and of actors", () => {
  const sent = (error: ActrError): ActrError =>
    fromWireErrorWith(toWireError(error), errorMetadata(error));

  it("travel beside the number that other peers know", () => {
    for (const code of ["actor.not_found", "actor.overloaded", "queue.full", "user.no"] as const) {
      const { code: read, message } = sent(new ActrError(code, "why"));
      assert.deepEqual([read, message], [code, "why"]);
    }
  });

  it("count for nothing where they are none, or mean another kind of error", () => {
    const wire = toWireError(new ActrError("actor.not_found", "why"));
    for (const value of [
      "actor.overloaded",
      "actor.nothing",
      "storage",
      `user.${"x".repeat(200)}`,
    ]) {
      const metadata = [{ key: "roost-error-code", value }];
      assert.equal(fromWireErrorWith(wire, metadata).code, "not_found");
    }
  });

  it("stay here where the error is not for strangers", () => {
    assert.deepEqual(errorMetadata(new ActrError("actor.panicked", "secret")), []);
  });
});
