import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lanes } from "../../../src/protocol/frame.ts";
import { FrameQueue } from "../../../src/session/frame_queue.ts";
import { heapBytes } from "../../fixtures/resources.ts";

describe("frame queue", () => {
  it("lets go of what was read, also while it is never empty", async () => {
    const queue = new FrameQueue(1_000_000, { full: () => {}, roomy: () => {} });
    const seen: WeakRef<Uint8Array>[] = [];
    const push = (): void => {
      const body = new Uint8Array(1_000);
      seen.push(new WeakRef(body));
      queue.push({ lane: lanes.streamReliable, body });
    };
    push();
    for (let n = 0; n < 1_000; n++) {
      push();
      queue.poll();
    }
    await heapBytes();
    const held = seen.filter((each) => each.deref() !== undefined).length;
    assert.ok(held < 100, `${held} frames of 1001 are kept, one is queued`);
    assert.equal(queue.bytes, 1_064);
  });
});
