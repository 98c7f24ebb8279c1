import { localCandidate, ufragIn } from "./sdp.ts";
import type { Candidate } from "./signals.ts";

/** This side's candidates: the first usable one of each generation leaves, once its description has. */
export class LocalIce {
  /** Those that left. */
  readonly sent: Candidate[] = [];
  readonly #send: (candidate: Candidate) => void;
  readonly #fragments = new Set<string>();
  /** Those that wait; undefined while they may leave. */
  #held: Candidate[] | undefined;
  #left: () => void = () => {};

  /** @param connection whose candidates they are. */
  constructor(connection: RTCPeerConnection, send: (candidate: Candidate) => void) {
    this.#send = send;
    connection.onicecandidate = ({ candidate }) =>
      this.#gathered(candidate?.candidate ?? "", connection.localDescription?.sdp ?? "");
  }

  /** Lets none leave until {@link LocalIce.release}. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const candidate of held) this.#leave(candidate);
  }

  /** Resolves when the next one has left. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#left = resolve;
    });
  }

  #gathered(line: string, sdp: string): void {
    const local = localCandidate(line);
    if (local === undefined) return;
    const usernameFragment = local.fragment ?? ufragIn(sdp);
    if (this.#fragments.has(usernameFragment)) return;
    this.#fragments.add(usernameFragment);
    // No mid, and the first line: what the real client says.
    const candidate = local.text;
    const signal = { kind: "candidate", candidate, sdpMLineIndex: 0, usernameFragment } as const;
    if (this.#held === undefined) this.#leave(signal);
    else this.#held.push(signal);
  }

  #leave(candidate: Candidate): void {
    this.sent.push(candidate);
    this.#send(candidate);
    this.#left();
  }
}
