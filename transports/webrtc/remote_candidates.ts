import type { IceCandidate } from "../../src/ports/peer_connections.ts";
import { IceFragments } from "./ice_fragments.ts";

/** Candidates kept for a description that has not come, the oldest dropped (`spec/transport.md` §6.4). */
const maxWaiting = 256;
/** Candidates of one generation that are used: the stack checks a path to each, wherever the peer says that it is. */
const maxUsed = 256;
/** Generations whose late candidates are known as such. */
const maxPast = 8;

/** The peer's candidates of one connection, each held until the description of its ICE generation is there. */
export class RemoteCandidates {
  readonly #past: string[] = [];
  #waiting: IceCandidate[];
  #current: IceFragments | undefined;
  /** Candidates of the present generation that were to be used. */
  #used = 0;

  /** @param earlier what came before the connection was begun, or for the one that it replaces. */
  constructor(earlier?: RemoteCandidates) {
    this.#waiting = [...(earlier?.waiting ?? [])];
  }

  /** Those of generations to come. */
  get waiting(): readonly IceCandidate[] {
    return this.#waiting;
  }

  /** Whether `candidate` is to be used now; otherwise it is kept for later, or dropped as of an earlier generation or one too many. */
  take(candidate: IceCandidate): boolean {
    const fragment = candidate.usernameFragment ?? "";
    if (this.#current !== undefined) {
      // Old peers name no generation: theirs is the one of now.
      if (fragment === "" || fragment === this.#current.of(candidate))
        return ++this.#used <= maxUsed;
      if (this.#past.includes(fragment)) return false;
    }
    this.#waiting.push(candidate);
    if (this.#waiting.length > maxWaiting) this.#waiting.shift();
    return false;
  }

  /** The peer's description has been taken: those of its generation are to be used now. */
  described(sdp: string): IceCandidate[] {
    const next = new IceFragments(sdp);
    const over = this.#current?.all.filter((fragment) => !next.has(fragment)) ?? [];
    if (over.length > 0) this.#used = 0;
    this.#past.push(...new Set(over));
    this.#past.splice(0, this.#past.length - maxPast);
    this.#current = next;
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting.filter((candidate) => this.take(candidate));
  }
}
