import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { CallLine } from "../../../src/guest/worker/call_line.ts";
import type { FromGuest } from "../../../src/guest/worker/messages.ts";
import { Outbox } from "../../../src/guest/worker/outbox.ts";

describe("a guest's thread", () => {
  it("hands on lines of the log, and nothing of levels that there are not", async () => {
    const posted: FromGuest[] = [];
    const outbox = new Outbox<FromGuest>((messages) => void posted.push(...messages));
    const limits = { maxHostCalls: 1, logLinesPerSecond: 10, logLineBytes: 4 };
    const line = new CallLine(1, limits, new FakeClock(), outbox);
    const log = { name: "log-message", token: 1n, message: "message" } as const;
    for (const level of ["error", "x".repeat(1_000_000)]) void line.ask({ ...log, level });
    await Promise.resolve();
    const lines = posted.map((message) => "call" in message && message.call);
    assert.deepEqual(lines, [
      { ...log, level: "error", message: "mess" },
      { ...log, level: "info", message: "mess" },
    ]);
  });
});
