import { it } from "node:test";
import { peerConnectionsConformance } from "../conformance/peer_connections.ts";
import { webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";

// Its binary exists for some platforms only.
const skip = await whyMissing("wrtc");
if (skip === undefined) peerConnectionsConformance("@roamhq/wrtc", webrtcStacks.wrtc);
else it("peer connections: @roamhq/wrtc", { skip }, () => {});
