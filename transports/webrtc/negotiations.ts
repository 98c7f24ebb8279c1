import { ActrError, assertNever } from "../../src/errors.ts";
import type { TurnCredential } from "../../src/identity/issued_identity.ts";
import type { IceCandidate, PeerConnections } from "../../src/ports/peer_connections.ts";
import type { Link } from "../../src/ports/transport.ts";
import { type ActrId, actrIdEquals, peerKey } from "../../src/protocol/ids.ts";
import { ReassemblyBudget } from "../../src/protocol/reassembly_budget.ts";
import type { Relay } from "../../src/signaling/signaling_listeners.ts";
import { abortAfter } from "../../src/time_limit.ts";
import { KeepAlive } from "../keep_alive.ts";
import { Bell } from "./bell.ts";
import { EarlyCandidates } from "./early_candidates.ts";
import { sweepsPerBeat } from "./heartbeat.ts";
import { Negotiation } from "./negotiation.ts";
import type { NegotiationFacts, NegotiationParts } from "./negotiation_parts.ts";
import { type PeerSignal, readSignal, type SignaledDescription } from "./peer_signals.ts";
import type { RemoteCandidates } from "./remote_candidates.ts";
import type { RoleFlights } from "./role_flights.ts";
import { iceServers, type WebRtcOptions } from "./webrtc_options.ts";

/** What {@link Negotiations} work with. */
export interface NegotiationsParts extends Omit<NegotiationParts, "budget" | "keepAlive"> {
  readonly stack: PeerConnections;
  readonly roles: RoleFlights;
  /** This node's id of the moment. */
  readonly self: () => ActrId;
  /** Its login at TURN servers, read for each connection. */
  readonly turnLogin: () => TurnCredential | undefined;
  /** Who takes links that peers open; undefined while nobody does. */
  readonly onLink: () => ((link: Link) => void) | undefined;
}

/** A peer that this side wants to reach. */
interface Introduction {
  readonly direction: Link["direction"];
  readonly negotiation: Promise<Negotiation>;
}

/** The connections of a node, one per peer: begins them, and takes what signaling brings to the one that it is about. */
export class Negotiations {
  readonly #parts: NegotiationsParts & NegotiationParts;
  readonly #options: WebRtcOptions;
  /** From the first description to the end of the connection. */
  readonly #byPeer = new Map<string, Negotiation>();
  readonly #introductions = new Map<string, Introduction>();
  readonly #early = new EarlyCandidates();
  /** Rings when a negotiation has begun. */
  readonly #begun: Bell;

  constructor(parts: NegotiationsParts, options: WebRtcOptions) {
    this.#parts = {
      ...parts,
      budget: new ReassemblyBudget(options.maxPartialBytes),
      keepAlive: new KeepAlive(parts.clock, options.heartbeatMs / sweepsPerBeat),
    };
    this.#options = options;
    this.#begun = new Bell(parts.clock);
  }

  get size(): number {
    return this.#byPeer.size;
  }

  [Symbol.iterator](): Iterator<Negotiation> {
    return [...this.#byPeer.values()][Symbol.iterator]();
  }

  /** The connection to a peer, begun when there is none. @throws ActrError `unavailable`, `permission_denied`, `timed_out`, `overloaded`; the signal's reason. */
  async reach(
    peer: ActrId,
    direction: Link["direction"],
    signal: AbortSignal,
  ): Promise<Negotiation> {
    const key = peerKey(peer);
    const known = this.#byPeer.get(key) ?? this.#introductions.get(key)?.negotiation;
    if (known !== undefined) return await known;
    if (this.#isFull) throw tooMany(this.size);
    const negotiation = this.#introduce(peer, signal).finally(() =>
      this.#introductions.delete(key),
    );
    this.#introductions.set(key, { direction, negotiation });
    return await negotiation;
  }

  /** Whether another connection to its peer has come in place of this one. */
  replaced(negotiation: Negotiation): boolean {
    const current = this.#byPeer.get(peerKey(negotiation.facts.peer));
    return current !== undefined && current !== negotiation;
  }

  /** Takes a message of signaling. */
  receive({ source, target, payload }: Relay): void {
    const signal = readSignal(payload);
    const self = this.#parts.self();
    // The copies of an assignment both name who asked as source: the peer is who is not this node.
    const own = actrIdEquals(source, self);
    if (signal === undefined || own === actrIdEquals(target, self)) return;
    if (own && signal.kind !== "role") return;
    const peer = own ? target : source;
    this.#take(signal, peer, peerKey(peer));
  }

  #take(signal: PeerSignal, peer: ActrId, key: string): void {
    switch (signal.kind) {
      case "role":
        return this.#assigned(peer, key, signal.isOfferer);
      case "candidate":
        return this.#candidate(key, signal.candidate);
      case "restart_request":
        return this.#byPeer.get(key)?.restartRequested();
      case "answer":
        return this.#byPeer.get(key)?.answered(signal);
      case "offer":
      case "renegotiation":
      case "restart":
        if (signal.exchangeId === undefined && this.#options.requireExchangeId) return;
        return this.#offered(signal, peer, key);
      default:
        return assertNever(signal);
    }
  }

  #assigned(peer: ActrId, key: string, isOfferer: boolean): void {
    const asked = this.#parts.roles.assigned(key, isOfferer);
    if (!isOfferer || !this.#accepts(asked)) return;
    const current = this.#byPeer.get(key);
    // Both sides asked: the offer under way serves both.
    if (current?.isOffering) return;
    current?.end("the peer starts over");
    this.#begin(peer, key, "offerer")?.begin();
  }

  #offered(description: SignaledDescription, peer: ActrId, key: string): void {
    const current = this.#byPeer.get(key);
    if (description.kind === "offer") {
      if (!this.#accepts(this.#introductions.has(key))) return;
      current?.end("the peer starts over");
      this.#begin(peer, key, "answerer", current?.candidates)?.offered(description);
    } else if (current === undefined) {
      // It would go on offering for a minute: better a new connection at once.
      if (description.kind === "restart" && this.#accepts(false)) this.#startOver(peer);
    } else if (description.kind === "renegotiation" || current.facts.role === "answerer") {
      current.offered(description);
    }
  }

  #candidate(key: string, candidate: IceCandidate): void {
    const current = this.#byPeer.get(key);
    if (current !== undefined) return current.candidate(candidate);
    this.#early.add(key, candidate);
  }

  /** Asks the server who offers; the one who does not waits for the offer. */
  async #introduce(peer: ActrId, signal: AbortSignal): Promise<Negotiation> {
    const { roles, self } = this.#parts;
    const { roleTimeoutMs, offerTimeoutMs } = this.#options;
    const key = peerKey(peer);
    await roles.ask(self(), peer, roleTimeoutMs, signal);
    const look = (): void => this.#begun.ring();
    signal.addEventListener("abort", look, { once: true });
    await this.#begun.until(() => signal.aborted || this.#byPeer.has(key), offerTimeoutMs);
    signal.removeEventListener("abort", look);
    signal.throwIfAborted();
    const negotiation = this.#byPeer.get(key);
    if (negotiation !== undefined) return negotiation;
    throw new ActrError("timed_out", `${key} has made no offer for ${offerTimeoutMs} ms`);
  }

  #startOver(peer: ActrId): void {
    const { clock, log } = this.#parts;
    const { roleTimeoutMs, offerTimeoutMs } = this.#options;
    const limit = abortAfter(clock, roleTimeoutMs + offerTimeoutMs);
    this.reach(peer, "inbound", limit.signal)
      .catch((error: unknown) => log.debug("webrtc.start_over.failed", { error }))
      .finally(() => limit.cancel());
  }

  #begin(
    peer: ActrId,
    key: string,
    role: NegotiationFacts["role"],
    earlier: RemoteCandidates | undefined = this.#early.take(key),
  ): Negotiation | undefined {
    // One that is replaced makes room.
    if (this.#isFull && !this.#byPeer.has(key)) return undefined;
    const { stack, turnLogin, log } = this.#parts;
    const direction = this.#introductions.get(key)?.direction ?? "inbound";
    const facts = {
      ...{ peer, role, direction, stack, earlier },
      iceServers: iceServers(this.#options, turnLogin()),
    };
    log.debug("webrtc.negotiation.begun", { peer: key, role });
    const negotiation = this.#open(facts);
    if (negotiation === undefined) return undefined;
    this.#byPeer.set(key, negotiation);
    void negotiation.link.closed.then(({ reason }) => this.#over(key, negotiation, reason));
    if (direction === "inbound")
      negotiation.ready.then(
        (link) => this.#hand(link),
        () => {},
      );
    this.#begun.ring();
    return negotiation;
  }

  #open(facts: NegotiationFacts): Negotiation | undefined {
    try {
      return new Negotiation(this.#parts, facts, this.#options);
    } catch (error) {
      this.#parts.log.error("webrtc.negotiation.impossible", { error });
      return undefined;
    }
  }

  #over(key: string, negotiation: Negotiation, reason: string): void {
    this.#parts.log.debug("webrtc.negotiation.over", { peer: key, reason });
    if (this.#byPeer.get(key) === negotiation) this.#byPeer.delete(key);
  }

  #hand(link: Link): void {
    const onLink = this.#parts.onLink();
    if (onLink === undefined) void link.close("not listening");
    else onLink(link);
  }

  /** Whether a connection may begin that this side, or only the peer, wants. */
  #accepts(wanted: boolean): boolean {
    return wanted || this.#parts.onLink() !== undefined;
  }

  get #isFull(): boolean {
    return this.#byPeer.size >= this.#options.maxConnections;
  }
}

function tooMany(count: number): ActrError {
  return new ActrError("overloaded", `${count} WebRTC connections are open; try later`, {
    retryAfterMs: 1_000,
  });
}
