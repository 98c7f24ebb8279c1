import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { lanes } from "../../src/protocol/frame.ts";
import { type TransferNodes, transfer, transferNodes } from "../faults/transfer_load.ts";
import { until } from "../fixtures/until.ts";
import { echoes } from "../fixtures/webrtc_node.ts";
import { stackNames, whyMissing } from "../fixtures/webrtc_stacks.ts";

const mebibyte = 1024 * 1024;
const chunk = new Uint8Array(64 * 1024);
const liveChunk = new Uint8Array(mebibyte);

/** Far more chunks of a mebibyte than a connection takes in one turn of the event loop. */
const mostLive = 1_000;

/** Most that may be under way to a reader that does not read: what both ends and the library hold. */
const maxUnderWay = 48 * mebibyte;

for (const stack of stackNames) {
  const skip = (await whyMissing(stack)) ?? false;
  describe(`streams over ${stack}`, { skip, timeout: 120_000 }, () => {
    let nodes: TransferNodes;
    before(async () => {
      nodes = await transferNodes(stack);
    });
    after(() => nodes?.[Symbol.asyncDispose]());

    it("carry 24 MB in order, with little under way", async () => {
      const { bytes, wrong, underWay } = await transfer(nodes, 24e6);
      assert.ok(bytes >= 24e6);
      assert.equal(wrong, 0);
      assert.ok(underWay < maxUnderWay / mebibyte, `${underWay} MB were under way`);
    });

    it("[T-89] a reader that stops holds its writer; calls and latency-first chunks pass it", async () => {
      const { from, to } = nodes;
      const [big, quick] = ["big", "quick"];
      const reader = to.node.context.streams.receive(big, { from: from.node.id });
      const quickReader = to.node.context.streams.receive(quick, { from: from.node.id });
      const { streams } = from.node.context;
      const total = 1_000;
      let written = 0;
      const writing = (async () => {
        await using writer = await streams.open(to.node.id, big, { timeoutMs: 60_000 });
        for (; written < total; written++) await writer.write(chunk);
      })();
      await until("the writer is held", () => to.node.inbound.streams.tally.held > 0, 30_000);
      let seen = -1;
      await until(
        "it stops",
        () => {
          const still = seen === written;
          seen = written;
          return still;
        },
        30_000,
      );
      assert.ok(written * chunk.length < maxUnderWay, `${written} chunks left unread`);
      for (const bytes of [100, 200_000])
        assert.equal(await echoes(from.node, to.node.id, bytes), true);
      const lossy = { payloadType: lanes.streamLatencyFirst };
      const init = { payload: chunk.subarray(0, 1_000) };
      assert.equal(await streams.send(to.node.id, quick, init, lossy), true);
      assert.equal((await quickReader.next()).value?.payload.length, 1_000);
      quickReader.close();
      let read = 0;
      while ((await reader.next()).done !== true) read += 1;
      await writing;
      assert.equal(read, total);
    });

    it("lose latency-first chunks rather than let them wait, and say so", async () => {
      const { from, to } = nodes;
      const reader = to.node.context.streams.receive("live", { from: from.node.id });
      const payloadType = lanes.streamLatencyFirst;
      const writer = await from.node.context.streams.open(to.node.id, "live", { payloadType });
      const { chunks } = from.node.outbound;
      const sent: Promise<boolean>[] = [];
      // However fast the connection is: until it lags behind who writes.
      while (chunks.dropped === 0 && sent.length < mostLive) sent.push(writer.write(liveChunk));
      const taken = (await Promise.all(sent)).filter((each) => each).length;
      assert.equal(sent.length - taken, 1);
      assert.equal(chunks.dropped, 1);
      assert.ok(taken > 0);
      assert.ok((await reader.next()).value !== undefined);
      reader.close();
    });
  });
}
