import { ufragIn } from "./sdp.ts";
import type { Candidate } from "./signals.ts";

/** What {@link RemoteIce} asks and tells. */
export interface RemoteIceParts {
  readonly habits: { readonly takesCandidates?: boolean };
  readonly complain: (what: string) => void;
}

/** The other side's descriptions and candidates: a candidate waits for the description of its generation, and one of an earlier generation is dropped (`spec/transport.md` §6.4). */
export class RemoteIce {
  readonly #connection: RTCPeerConnection;
  readonly #parts: RemoteIceParts;
  readonly #past = new Set<string>();
  #current = "";
  #waiting: Candidate[] = [];

  constructor(connection: RTCPeerConnection, parts: RemoteIceParts) {
    this.#connection = connection;
    this.#parts = parts;
  }

  take(candidate: Candidate): void {
    const { usernameFragment = "", sdpMLineIndex } = candidate;
    const { complain, habits } = this.#parts;
    if (candidate.candidate === "") return complain("an empty candidate");
    if (usernameFragment === "") return complain("a candidate without username fragment");
    if (sdpMLineIndex !== 0) complain(`a candidate of line ${sdpMLineIndex}`);
    if (habits.takesCandidates === false || this.#past.has(usernameFragment)) return;
    if (usernameFragment === this.#current) this.#add(candidate);
    else this.#waiting.push(candidate);
  }

  /** Applies a description, then the candidates that waited for it. */
  async described(type: "offer" | "answer", sdp: string): Promise<void> {
    if (sdp.split(/^m=/m).length !== 2) this.#parts.complain("not one media section");
    await this.#connection.setRemoteDescription({ type, sdp });
    if (this.#current !== "" && this.#current !== ufragIn(sdp)) this.#past.add(this.#current);
    this.#current = ufragIn(sdp);
    for (const candidate of this.#waiting.splice(0)) this.take(candidate);
  }

  #add({ candidate, sdpMLineIndex }: Candidate): void {
    this.#connection
      .addIceCandidate({ candidate, sdpMLineIndex: sdpMLineIndex ?? 0 })
      .catch((error) => this.#parts.complain(`a candidate could not be used: ${error}`));
  }
}
