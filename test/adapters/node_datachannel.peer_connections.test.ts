import { it } from "node:test";
import { peerConnectionsConformance } from "../conformance/peer_connections.ts";
import { webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";

// The package is optional.
const skip = await whyMissing("node-datachannel");
if (skip === undefined) {
  peerConnectionsConformance("node-datachannel", webrtcStacks["node-datachannel"]);
} else it("peer connections: node-datachannel", { skip }, () => {});
