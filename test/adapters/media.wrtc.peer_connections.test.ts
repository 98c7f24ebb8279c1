import { it } from "node:test";
import { mediaConformance } from "../conformance/media.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";

/** `deno test` ends with a clean-up, in which the library crashes; exit.peer_connections.test.ts sends media there. */
const crash = "deno test would crash at its end";

// Its binary exists for some platforms only.
const skip = thisRuntime === "deno" ? crash : await whyMissing("wrtc");
if (skip === undefined) mediaConformance("@roamhq/wrtc", webrtcStacks.wrtc);
else it("media of peer connections: @roamhq/wrtc", { skip }, () => {});
