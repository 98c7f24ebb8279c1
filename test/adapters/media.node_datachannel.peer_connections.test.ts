import { after, it } from "node:test";
import { mediaConformance } from "../conformance/media.ts";
import { collectGarbage } from "../fixtures/collect_garbage.ts";
import { webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";

after(collectGarbage);

// The package is optional.
const skip = await whyMissing("node-datachannel");
if (skip === undefined) mediaConformance("node-datachannel", webrtcStacks["node-datachannel"]);
else it("media of peer connections: node-datachannel", { skip }, () => {});
