import type { IceCandidate } from "../../src/ports/peer_connections.ts";
import { type PlacedCandidate, place } from "./sdp.ts";

/** Candidates kept until a description comes (`spec/transport.md` §6.4). */
const maxEarlyCandidates = 256;

/** The peer's candidates, each given its place in the peer's description. */
export class PlacedCandidates {
  #sdp = "";
  #early: IceCandidate[] = [];

  /** The one to use now; undefined for one that is kept until a description comes, or that says that there are no more. */
  take(candidate: IceCandidate): PlacedCandidate | undefined {
    if (candidate.candidate === "") return undefined;
    if (this.#sdp !== "") return place(candidate, this.#sdp);
    this.#early.push(candidate);
    if (this.#early.length > maxEarlyCandidates) this.#early.shift();
    return undefined;
  }

  /** The peer's description has come: those that were kept, to be taken again. */
  described(sdp: string): IceCandidate[] {
    this.#sdp = sdp;
    return this.#early.splice(0);
  }
}
