import type { Clock } from "../../src/ports/clock.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import { type NodeDatachannelOptions, nodeDatachannelPeerConnections } from "./peer_connections.ts";

export type { NodeDatachannelOptions } from "./peer_connections.ts";

/**
 * WebRTC by `node-datachannel`, for `serve(app, { webrtc: nodeDatachannel() })`. The package is loaded when the first peer
 * is met, and has to be installed by whoever asks for it; without it dials fail with ActrError `config`, which names it.
 *
 * @example
 * ```ts
 * import { serve } from "@roost/edge/node";
 * import { nodeDatachannel } from "@roost/edge/node-datachannel";
 *
 * await using node = await serve(app, { webrtc: nodeDatachannel() });
 * ```
 */
export function nodeDatachannel(
  options: NodeDatachannelOptions = {},
): (clock: Clock) => Promise<PeerConnections> {
  return (clock) => nodeDatachannelPeerConnections(clock, options);
}
