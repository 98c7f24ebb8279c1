import { deadline } from "#async";
import { nodeDatachannelPeerConnections } from "../../adapters/node_datachannel/peer_connections.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { wrtcPeerConnections } from "../../adapters/wrtc/peer_connections.ts";
import type { Clock } from "../ports/clock.ts";
import type { IceCandidate, PeerConnection, PeerConnections } from "../ports/peer_connections.ts";
import { withResolvers } from "../with_resolvers.ts";
import type { Finding } from "./doctor_checks.ts";
import { oneLine } from "./failure.ts";

/** A WebRTC library that may be here. */
interface WebRtcStack {
  readonly load: (clock: Clock) => Promise<PeerConnections>;
  /** What to do where it is not. */
  readonly mend: string;
}

/** By the names of their packages. */
export const webRtcStacks: Readonly<Record<string, WebRtcStack>> = {
  "@roamhq/wrtc": {
    load: wrtcPeerConnections,
    mend: "WebRTC will not work; run npm install without --omit=optional",
  },
  "node-datachannel": {
    load: (clock) => nodeDatachannelPeerConnections(clock, { bindAddress: "127.0.0.1" }),
    mend: "only webrtc: nodeDatachannel() needs it; run npm install node-datachannel",
  },
};

/** Patience with a connection, milliseconds. */
const limitMs = 10_000;

/** Whether a library loads, and opens a connection within this process. */
export async function checkWebRtc(name: string, { load, mend }: WebRtcStack): Promise<Finding> {
  const clock = systemClock();
  let stack: PeerConnections;
  try {
    stack = await load(clock);
  } catch (error) {
    return { name, status: "missing", detail: reasonOf(error), mend };
  }
  try {
    const tookMs = await connect(stack, clock);
    return { name, status: "ok", detail: `loads, and connects in ${tookMs} ms` };
  } catch (error) {
    const detail = `loads, but does not connect: ${reasonOf(error)}`;
    return { name, status: "missing", detail, mend: "let it use UDP on the loopback interface" };
  }
}

/** Opens a connection from this process to itself; resolves with how long that took, milliseconds. */
async function connect(stack: PeerConnections, clock: Clock): Promise<number> {
  const begunAt = clock.monotonic();
  const { promise: opened, resolve } = withResolvers<void>();
  const near = end(stack, () => far);
  const far = end(stack, () => near);
  try {
    near.createChannel("doctor").handle({ open: resolve, message: () => {}, closed: () => {} });
    await far.setRemote(await near.createOffer());
    await near.setRemote(await far.createAnswer());
    await deadline(opened, limitMs);
    return Math.round(clock.monotonic() - begunAt);
  } finally {
    near.close();
    far.close();
  }
}

/** One end, whose candidates go to the other. */
function end(stack: PeerConnections, other: () => PeerConnection): PeerConnection {
  const candidate = (found: IceCandidate): void => {
    // One that cannot be used is made up for by the others.
    other()
      .addCandidate(found)
      .catch(() => {});
  };
  return stack.create({ iceServers: [] }, { candidate, state: () => {}, channel: () => {} });
}

function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
