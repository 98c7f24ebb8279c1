import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RunningScript } from "./script_support.ts";

describe("what a script's calls keep in its node", () => {
  it("is limited by their texts, too: metadata is no way past the memory of the guest", async () => {
    const script = await RunningScript.dispatching(
      `
      const value = "x".repeat(16_384);
      const metadata = Array(250).fill({ key: "k", value });
      const chunk = { streamId: "s", sequence: 1n, payload: new Uint8Array(), metadata };
      const send = () => context.sendDataChunk({ tag: "host" }, chunk, { tag: "stream-reliable" });
      return Promise.any(Array.from({ length: 8 }, () => send().catch(({ tag }) => new TextEncoder().encode(tag))));
    `,
      {
        limits: { fuel: 500_000_000, memoryBytes: 64 * 1024 * 1024 },
        answer: () => new Promise(() => {}),
      },
    );
    const waiting = Array.from({ length: 4 }, () => script.text());
    assert.equal(await Promise.race(waiting), "unavailable");
    assert.ok(script.calls.length <= 16, `${script.calls.length} calls of 4 MB each`);
  });
});
