import assert from "node:assert/strict";
import { it } from "node:test";
import { measureNode } from "./large_node.ts";

// How fast it is, `npm run faults:large` tells; that no query walks through a table, the query plans.
it("a node over a large mailbox holds little of it in memory, and handles all of it in order (short form)", {
  timeout: 120_000,
}, async () => {
  const [rows, bytes] = [12_500, 8_000];
  const empty = await measureNode(0, bytes);
  const large = await measureNode(rows, bytes);
  assert.ok(large.fileBytes > rows * bytes);
  const { waiting, handledBefore } = large;
  assert.ok(waiting <= rows && waiting + handledBefore >= rows, `${waiting} of ${rows} counted`);
  const moreBytes = large.rss - empty.rss;
  assert.ok(moreBytes < large.fileBytes / 2, `${moreBytes} bytes of memory more`);
  assert.deepEqual([large.handled, large.misplaced], [rows, 0]);
});
