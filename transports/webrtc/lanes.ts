import type { Channel, ChannelOptions, PeerConnection } from "../../src/ports/peer_connections.ts";
import { type Lane, laneLabels, lanes } from "../../src/protocol/frame.ts";

/** A lane that has a DataChannel; media have tracks instead. */
export type ChannelLane = Exclude<Lane, typeof lanes.media>;

/** The lanes with a DataChannel, in the order of their wire numbers. */
export const channelLanes: readonly ChannelLane[] = [
  lanes.rpcReliable,
  lanes.rpcSignal,
  lanes.streamReliable,
  lanes.streamLatencyFirst,
];

const reliable: ChannelOptions = {};
const latencyFirst: ChannelOptions = { ordered: false, maxRetransmits: 3 };

/** Opens the channel of a lane, delivering as `spec/transport.md` §2 has it. For the offerer, before its offer: an Actr offerer never looks at channels of its answerer. */
export function openChannel(connection: PeerConnection, lane: ChannelLane): Channel {
  const options = lane === lanes.streamLatencyFirst ? latencyFirst : reliable;
  return connection.createChannel(laneLabels[lane] ?? "", options);
}

/** The lane of a channel by its label; undefined for a channel that is none of Actr's. */
export function laneOf({ label }: Channel): ChannelLane | undefined {
  return channelLanes.find((lane) => laneLabels[lane] === label);
}
