import assert from "node:assert/strict";
import { it } from "node:test";
import { measureNode } from "./large_node.ts";
import { measureLarge } from "./large_store.ts";

/** For fractions of a millisecond on a machine that others use. */
const slackMs = 0.3;

it("a mailbox of many rows is as fast as a small one and opens at once (short form)", {
  timeout: 60_000,
}, async () => {
  const { openMs, pageMs, cycleMs } = await measureLarge(50_000, 200);
  assert.ok(openMs < 1_000, `opening took ${openMs} ms`);
  assert.ok(pageMs.many < 2 * pageMs.few + slackMs, JSON.stringify(pageMs));
  assert.ok(cycleMs.many < 2 * cycleMs.few + slackMs, JSON.stringify(cycleMs));
});

it("a node over a large mailbox is ready at once, holds little of it in memory, and handles all of it in order (short form)", {
  timeout: 120_000,
}, async () => {
  const [rows, bytes] = [12_500, 8_000];
  const empty = await measureNode(0, bytes);
  const large = await measureNode(rows, bytes);
  assert.ok(large.fileBytes > rows * bytes);
  const { waiting, handledBefore } = large;
  assert.ok(waiting <= rows && waiting + handledBefore >= rows, `${waiting} of ${rows} counted`);
  // The figure is that of `npm run faults:large`; here, others are at work.
  const moreMs = large.readyMs - empty.readyMs;
  assert.ok(
    moreMs < 2_000,
    `ready after ${large.readyMs} ms, ${empty.readyMs} ms without messages`,
  );
  const moreBytes = large.rss - empty.rss;
  assert.ok(moreBytes < large.fileBytes / 2, `${moreBytes} bytes of memory more`);
  assert.deepEqual([large.handled, large.misplaced], [rows, 0]);
});
