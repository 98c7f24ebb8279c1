import type { IceCandidate, LocalCandidate } from "../../src/ports/peer_connections.ts";
import { candidateFragment, mids, usernameFragment } from "./sdp.ts";

/** The candidates of this side: each is told after its description, with all that peers need of it. */
export class LocalCandidates {
  readonly #tell: (candidate: LocalCandidate) => void;
  #sdp = "";
  /** Those whose description is still being made. */
  #held: IceCandidate[] | undefined = [];

  constructor(tell: (candidate: LocalCandidate) => void) {
    this.#tell = tell;
  }

  /** The stack has found one. */
  gathered(candidate: IceCandidate): void {
    if (candidate.candidate === "") return;
    if (this.#held !== undefined) this.#held.push(candidate);
    else this.#complete(candidate);
  }

  /** A description is being made. */
  hold(): void {
    this.#held ??= [];
  }

  /** It was made. */
  described(sdp: string): void {
    this.#sdp = sdp;
  }

  /** It was seen by who sends it: its candidates may follow. */
  release(): void {
    if (this.#sdp === "") return;
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const candidate of held) this.#complete(candidate);
  }

  #complete({ candidate, sdpMid, sdpMLineIndex, usernameFragment: fragment }: IceCandidate): void {
    const known = mids(this.#sdp);
    const index = sdpMLineIndex ?? Math.max(0, known.indexOf(sdpMid ?? ""));
    this.#tell({
      candidate: candidate.replace(/^a=/, ""),
      sdpMid: sdpMid ?? known[index] ?? String(index),
      sdpMLineIndex: index,
      usernameFragment: fragment || candidateFragment(candidate) || usernameFragment(this.#sdp),
    });
  }
}
