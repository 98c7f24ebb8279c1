import { after, it } from "node:test";
import { connectionPair, negotiate } from "../conformance/connection_pair.ts";
import { mediaConformance } from "../conformance/media.ts";
import { arrives, sourceFor } from "../conformance/media_samples.ts";
import { collectGarbage, letTracksGo } from "../fixtures/collect_garbage.ts";
import { webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";

after(letTracksGo);

// The package is optional.
const skip = await whyMissing("node-datachannel");
if (skip === undefined) mediaConformance("node-datachannel", webrtcStacks["node-datachannel"]);
else it("media of peer connections: node-datachannel", { skip }, () => {});

// Deno cannot be told to collect.
const uncollected = "Deno" in globalThis ? "nothing can be collected on demand" : skip;

it("keeps a section whose place is used again open when garbage is collected", {
  skip: uncollected,
  timeout: 60_000,
}, async () => {
  using pair = await connectionPair(await webrtcStacks["node-datachannel"]());
  const { a, b } = pair;
  for (const id of ["first", "second"]) {
    const track = a.connection.addTrack({ id, codec: "opus" });
    collectGarbage();
    await negotiate(a, b);
    // The library closes what was collected in a turn of its own.
    for (let turn = 0; turn < 3; turn++) await new Promise((done) => setTimeout(done, 5));
    collectGarbage();
    await arrives(b, id, track, sourceFor("rtp", "opus"));
    a.connection.removeTrack(id);
    await negotiate(a, b);
  }
});
