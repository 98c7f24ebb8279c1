import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { delay } from "#async";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import type { MediaSample } from "../../src/media.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import { packets, pitch, type SampleSource, tone } from "../conformance/media_samples.ts";
import { letTracksGo } from "../fixtures/collect_garbage.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { echoes, type WebRtcNode, webRtcNode } from "../fixtures/webrtc_node.ts";
import { type StackName, webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";
import { Running } from "./rendezvous_server.ts";

const noRtp = await whyMissing("node-datachannel");
const noSound =
  thisRuntime === "deno" ? "deno test would crash at its end" : await whyMissing("wrtc");

/** What came of one track, and from whom. */
class Heard {
  readonly samples: MediaSample[] = [];
  readonly senders: Set<ActrId["serial"]> = new Set();

  constructor({ node }: WebRtcNode, trackId: string) {
    node.context.media.register(trackId, (sample, { serial }) => {
      this.samples.push(sample);
      this.senders.add(serial);
    });
  }
}

/** Sends samples at their pace until `enough`. */
async function sendUntil(
  from: WebRtcNode,
  to: WebRtcNode,
  trackId: string,
  source: SampleSource,
  enough: () => boolean,
): Promise<void> {
  for (let at = 0; !enough(); at++) {
    from.node.context.media.send(to.node.id, trackId, source.make(at));
    await delay(source.everyMs);
  }
}

describe("media between nodes", { timeout: 60_000 }, () => {
  let rendezvous: Running;
  const nodes: WebRtcNode[] = [];

  const start = async (stack: StackName): Promise<WebRtcNode> => {
    const webrtc = await webrtcStacks[stack]();
    const node = await webRtcNode("test:Media:1.0.0", `${rendezvous.base}/ais`, { webrtc });
    nodes.push(node);
    return node;
  };

  before(async () => {
    rendezvous = await Running.start(new MemoryStore());
  });

  after(async () => {
    for (const node of nodes.splice(0)) await node[Symbol.asyncDispose]();
    await rendezvous?.[Symbol.asyncDispose]();
    await letTracksGo();
  });

  it("[T-90] carries encoded sound and pictures with their sender, until the track is unregistered", {
    skip: noRtp ?? false,
  }, async () => {
    const [near, far] = [await start("node-datachannel"), await start("node-datachannel")];
    const { media } = near.node.context;
    const { id } = far.node;
    for (const codec of ["opus", "VP8", "H264"] as const) {
      const heard = new Heard(far, codec);
      await media.addTrack(id, { id: codec, codec });
      const source = packets(codec);
      await sendUntil(near, far, codec, source, () => heard.samples.length >= 3);
      const sent = Array.from({ length: 200 }, (_, at) => source.make(at));
      for (const sample of heard.samples) {
        const same = sent.find(({ timestamp }) => timestamp === sample.timestamp);
        assert.deepEqual(sample, same);
      }
      assert.deepEqual([...heard.senders], [near.node.id.serial]);
      far.node.context.media.unregister(codec);
      const count = heard.samples.length;
      const dropped = far.node.inbound.media.dropped;
      await sendUntil(near, far, codec, source, () => far.node.inbound.media.dropped > dropped);
      assert.equal(heard.samples.length, count);
    }
    await media.removeTrack(id, "VP8");
    assert.throws(() => media.send(id, "VP8", packets("VP8").make(0)), { code: "not_found" });
    assert.equal(await echoes(near.node, id, 10_000), true);
    assert.equal(near.transport.connections, 1);
  });

  it("both sides add eight tracks at once, offers crossing, and all carry", {
    skip: noRtp ?? false,
  }, async () => {
    const pair = [await start("node-datachannel"), await start("node-datachannel")] as const;
    const ids = Array.from({ length: 8 }, (_, at) => `track-${at}`);
    assert.equal(await echoes(pair[0].node, pair[1].node.id, 10), true);
    const ways = [pair, [pair[1], pair[0]] as const];
    await Promise.all(
      ways.flatMap(([from, to]) =>
        ids.map((id) => from.node.context.media.addTrack(to.node.id, { id, codec: "opus" })),
      ),
    );
    for (const [from, to] of ways) {
      await Promise.all(
        ids.map((id) => {
          const heard = new Heard(to, id);
          return sendUntil(from, to, id, packets("opus"), () => heard.samples.length > 0);
        }),
      );
    }
    assert.equal(await echoes(pair[1].node, pair[0].node.id, 100_000), true);
  });

  it("[T-90] a tone is Opus on its way, and the same tone at its end", {
    skip: noSound ?? false,
  }, async () => {
    const [singer, listener] = [await start("wrtc"), await start("wrtc")];
    const heard = new Heard(listener, "tone");
    await singer.node.context.media.addTrack(listener.node.id, { id: "tone", codec: "opus" });
    await sendUntil(singer, listener, "tone", tone(1_000), () => {
      const last = heard.samples.slice(-20);
      return last.length === 20 && Math.abs(pitch(last) - 1_000) < 30;
    });
    assert.equal(heard.samples[0]?.codec, "opus");
    assert.deepEqual([...heard.senders], [singer.node.id.serial]);
  });
});
