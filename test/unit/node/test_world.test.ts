import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestWorld } from "@roost/edge/testing";

/** Bytes whose hash takes a thread longer than any number of turns that a clock gives by itself. */
const many = new Uint8Array(16 * 1024 * 1024);

describe("a test world", () => {
  it("lets no time pass while cryptography is under way, until its end", async () => {
    const wrapped = () => Object.hasOwn(crypto.subtle, "digest");
    const before = wrapped();
    const worlds = [await TestWorld.open(), await TestWorld.open()] as const;
    for (const { clock } of worlds) {
      let done = false;
      void crypto.subtle.digest("SHA-256", many).then(() => {
        done = true;
      });
      await clock.settle();
      assert.ok(done);
    }
    for (const world of worlds) {
      assert.ok(wrapped());
      await world[Symbol.asyncDispose]();
    }
    assert.equal(wrapped(), before, "as it was before");
  });
});
