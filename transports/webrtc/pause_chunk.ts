import { ControlChunk } from "./control_chunk.ts";
import { type ChannelLane, channelLanes } from "./lanes.ts";

const chunk = new ControlChunk("roost.pause", 1);

/**
 * A chunk that tells the peer which lanes not to send on: DataChannels cannot be left unread.
 * It says all of it each time: one byte of payload, in which the bit of a lane's wire number is set while it is to pause.
 */
export function pauseChunk(paused: Iterable<ChannelLane>): Uint8Array {
  let mask = 0;
  for (const lane of paused) mask |= 1 << lane;
  return chunk.write(Uint8Array.of(mask));
}

/** The lanes not to be sent on; undefined for a body that is no {@link pauseChunk}. */
export function readPauseChunk(body: Uint8Array): readonly ChannelLane[] | undefined {
  const [mask] = chunk.read(body) ?? [];
  return mask === undefined ? undefined : channelLanes.filter((lane) => (mask & (1 << lane)) !== 0);
}
