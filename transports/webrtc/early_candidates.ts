import type { IceCandidate } from "../../src/ports/peer_connections.ts";
import { RemoteCandidates } from "./remote_candidates.ts";

/** Peers whose candidates may come before their offers; beyond, the oldest peer's are dropped. */
const maxPeers = 64;

/** Candidates of peers that have no connection yet: signaling of old peers brings them before the offer. */
export class EarlyCandidates {
  readonly #byPeer = new Map<string, RemoteCandidates>();

  add(key: string, candidate: IceCandidate): void {
    const candidates = this.#byPeer.get(key) ?? new RemoteCandidates();
    candidates.take(candidate);
    this.#byPeer.set(key, candidates);
    const [oldest = key] = this.#byPeer.keys();
    if (this.#byPeer.size > maxPeers) this.#byPeer.delete(oldest);
  }

  /** Those of a peer, which are kept no longer. */
  take(key: string): RemoteCandidates | undefined {
    const candidates = this.#byPeer.get(key);
    this.#byPeer.delete(key);
    return candidates;
  }
}
