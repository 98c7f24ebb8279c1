import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mutualLoad } from "./mutual_load.ts";
import { mutualNodes } from "./mutual_nodes.ts";

describe("two nodes that call each other inside handlers, at full load", () => {
  it("answer every call with its own answer, never wait for each other, and leave nothing", async () => {
    await using nodes = await mutualNodes();
    const { answered, lost, wrong, failed, left } = await mutualLoad(nodes, 2);
    assert.deepEqual({ lost, wrong, failed, left }, { lost: 0, wrong: 0, failed: {}, left: 0 });
    assert.ok(answered >= 48, `${answered} answered, fewer than there are callers`);
  });
});
