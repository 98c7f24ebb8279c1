import { encodeFrame, type Frame, lanes } from "../src/protocol/frame.ts";

/** What a Roost listener says first to a Roost dialer, so that this need not guess when it may begin: an empty frame of the lane that no socket carries. */
export const greeting: Uint8Array = encodeFrame({ lane: lanes.media, body: new Uint8Array(0) });

/** Whether a frame is the {@link greeting}. */
export function isGreeting({ lane, body }: Frame): boolean {
  return lane === lanes.media && body.length === 0;
}
