import { maxChannelMessageBytes } from "../../src/protocol/fragment.ts";

/**
 * Longest DataChannel message between Roost nodes, header included: a body of 64 KB and its envelope are one, while an
 * association that sends 1 MB a second is not held up for longer than 130 ms.
 */
export const longestMessageBytes = 131_072;

/** What a node tells of itself in its descriptions. */
export interface RoostAttributes {
  /** Whether it answers beats. */
  readonly beats: boolean;
  /** Longest message that it is to be sent, bytes; what all Actr peers read, unless it says more. */
  readonly maxMessageBytes: number;
}

const beatAttribute = "a=roost-beat:1";
const messageAttribute = "a=roost-message:";

/** A description that tells the peer what Roost nodes do beyond Actr: other stacks and peers pass over attributes that they do not know (RFC 8866 §5.13). */
export function withRoostAttributes(sdp: string): string {
  const lines = [beatAttribute, `${messageAttribute}${longestMessageBytes}`, ""].join("\r\n");
  return `${sdp.endsWith("\n") ? sdp : `${sdp}\r\n`}${lines}`;
}

/** What a peer's description tells of it. */
export function readRoostAttributes(sdp: string): RoostAttributes {
  const said = Number(/^a=roost-message:(\d+)/m.exec(sdp)?.[1] ?? 0);
  return {
    beats: sdp.includes(`\n${beatAttribute}`),
    maxMessageBytes: Math.min(Math.max(said, maxChannelMessageBytes), longestMessageBytes),
  };
}
