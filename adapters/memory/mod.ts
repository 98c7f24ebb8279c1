/**
 * The testing kit (`@roost/edge/testing`): real nodes without a network, a disk or a clock.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { it } from "node:test";
 * import { testNode } from "@roost/edge/testing";
 * import { app } from "./app.ts";
 * import { EchoService } from "./echo_pb.ts";
 *
 * it("echoes", async () => {
 *   await using t = await testNode(app);
 *   const { reply } = await t.service(EchoService).echo({ message: "hi" });
 *   assert.equal(reply, "Echo: hi");
 * });
 * ```
 * @module
 */

export { FakeClock } from "./fake_clock.ts";
export { MemoryNetwork, MemorySockets } from "./memory_sockets.ts";
export { MemoryStore } from "./memory_store.ts";
export { SeededRandom } from "./seeded_random.ts";
export { TestNode, type TestNodeOptions, type TestPeerOptions, testNode } from "./test_node.ts";
export { TestWorld, type TestWorldOptions } from "./test_world.ts";
export { WorldClock } from "./world_clock.ts";
