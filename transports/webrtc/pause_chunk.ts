import { encodeDataChunk } from "../../src/protocol/data_chunk.ts";
import { type ChannelLane, channelLanes } from "./lanes.ts";

/** An Actr peer that is no Roost drops it as a chunk of a stream that nobody registered (`spec/transport.md` §8). */
const streamId = "roost.pause";

const template = chunkOf(0);
const maskAt = template.length - 1;

/**
 * A chunk of the reliable stream lane that tells the peer which lanes not to send on: DataChannels cannot be left unread.
 * It says all of it each time: one byte of payload, in which the bit of a lane's wire number is set while it is to pause.
 */
export function pauseChunk(paused: Iterable<ChannelLane>): Uint8Array {
  let mask = 0;
  for (const lane of paused) mask |= 1 << lane;
  return chunkOf(mask);
}

/** The lanes not to be sent on; undefined for a body that is no {@link pauseChunk}. */
export function readPauseChunk(body: Uint8Array): readonly ChannelLane[] | undefined {
  if (body.length !== template.length) return undefined;
  for (let at = 0; at < maskAt; at++) if (body[at] !== template[at]) return undefined;
  const mask = body[maskAt] as number;
  return channelLanes.filter((lane) => (mask & (1 << lane)) !== 0);
}

function chunkOf(mask: number): Uint8Array {
  return encodeDataChunk({ streamId, sequence: 0n, payload: Uint8Array.of(mask), metadata: [] });
}
