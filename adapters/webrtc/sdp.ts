import type { IceCandidate } from "../../src/ports/peer_connections.ts";

/** What a description without `a=max-message-size` allows, bytes (RFC 8841 §6). */
const unsaidMaxMessageBytes = 65_536;

/** The `a=mid` values of a description, in the order of its media sections. */
export function mids(sdp: string): string[] {
  return [...sdp.matchAll(/^a=mid:(\S+)/gm)].map(([, mid = ""]) => mid);
}

/** The `a=ice-ufrag` of a description; bundled media share one. */
export function usernameFragment(sdp: string): string {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? "";
}

/** The fragment within a candidate line, which some stacks write behind the address. */
export function candidateFragment(candidate: string): string | undefined {
  return / ufrag (\S+)/.exec(candidate)?.[1];
}

/** Largest message that the writer of a description takes, bytes; 0 there means any. */
export function maxMessageBytes(sdp: string): number {
  const said = /^a=max-message-size:(\d+)/m.exec(sdp)?.[1];
  if (said === undefined) return unsaidMaxMessageBytes;
  return Number(said) === 0 ? Number.POSITIVE_INFINITY : Number(said);
}

/** A description without its candidates, which travel apart. */
export function withoutCandidates(sdp: string): string {
  return sdp.replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, "");
}

/** Where a candidate belongs. */
export interface PlacedCandidate {
  readonly candidate: string;
  readonly sdpMid: string;
  readonly sdpMLineIndex: number;
}

/** A peer's candidate with both fields that stacks want, derived from its description where it left them out. */
export function place(candidate: IceCandidate, remoteSdp: string): PlacedCandidate {
  const known = mids(remoteSdp);
  const byMid = known.indexOf(candidate.sdpMid ?? "");
  const sdpMLineIndex = byMid >= 0 ? byMid : (candidate.sdpMLineIndex ?? 0);
  return {
    candidate: candidate.candidate.replace(/^a=/, ""),
    sdpMid: known[sdpMLineIndex] ?? candidate.sdpMid ?? String(sdpMLineIndex),
    sdpMLineIndex,
  };
}
