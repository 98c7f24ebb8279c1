import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Logger } from "../../src/ports/logger.ts";
import type {
  IceCandidate,
  IceServer,
  LocalCandidate,
  PeerConnection,
  PeerConnectionState,
  PeerConnections,
} from "../../src/ports/peer_connections.ts";
import type { Random } from "../../src/ports/random.ts";
import type { Link } from "../../src/ports/transport.ts";
import { type ActrId, peerKey } from "../../src/protocol/ids.ts";
import type { ReassemblyBudget } from "../../src/protocol/reassembly_budget.ts";
import type { SignalingClient } from "../../src/signaling/signaling_client.ts";
import type { RelayInit } from "../../src/signaling/signaling_listeners.ts";
import type { KeepAlive } from "../keep_alive.ts";
import { ConnectDeadline } from "./connect_deadline.ts";
import { LinkTracks } from "./link_tracks.ts";
import { Mending } from "./mending.ts";
import {
  candidateMessage,
  descriptionMessage,
  restartRequest,
  type SignaledDescription,
} from "./peer_signals.ts";
import { RemoteCandidates } from "./remote_candidates.ts";
import { Renegotiation } from "./renegotiation.ts";
import { SdpExchange } from "./sdp_exchange.ts";
import { WebRtcLink } from "./webrtc_link.ts";
import type { WebRtcOptions } from "./webrtc_options.ts";

/** What the transport needs of signaling. */
export type PeerSignaling = Pick<SignalingClient, "connected" | "listen" | "sendRelay">;

/** What all negotiations of a transport work with. */
export interface NegotiationParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signaling: PeerSignaling;
  /** What all links together may hold of unfinished messages. */
  readonly budget: ReassemblyBudget;
  /** Looks after the links of peers that answer beats. */
  readonly keepAlive: KeepAlive;
}

/** One connection that is to be. */
export interface NegotiationFacts {
  readonly peer: ActrId;
  /** As the server assigned it; it stays for the life of the connection. */
  readonly role: "offerer" | "answerer";
  readonly direction: Link["direction"];
  readonly stack: PeerConnections;
  readonly iceServers: readonly IceServer[];
  /** Candidates that came before. */
  readonly earlier?: RemoteCandidates | undefined;
}

/** How long an unanswered offer counts as under way, milliseconds: a second assignment of roles is then served by it. */
const freshMs = 2_000;

/** One connection to one peer, from its first description to its end: what both sides tell each other through signaling about it. */
export class Negotiation {
  readonly facts: NegotiationFacts;
  readonly link: WebRtcLink;
  /** Resolves when the link can be used; rejects with ActrError `unavailable` when it ends before. */
  readonly ready: Promise<WebRtcLink>;
  readonly candidates: RemoteCandidates;
  readonly #parts: NegotiationParts;
  readonly #connection: PeerConnection;
  readonly #exchange: SdpExchange;
  readonly #renegotiation: Renegotiation;
  readonly #mending: Mending;
  readonly #deadline: ConnectDeadline;
  readonly #tracks: LinkTracks | undefined;
  /** When the connection was offered, while that is not answered. */
  #begunAt: number | undefined;
  #isUp = false;
  #isOver = false;

  constructor(parts: NegotiationParts, facts: NegotiationFacts, options: WebRtcOptions) {
    const { peer, role, direction, stack, iceServers } = facts;
    this.#parts = { ...parts, log: parts.log.with({ peer: peerKey(peer) }) };
    this.facts = facts;
    this.candidates = new RemoteCandidates(facts.earlier);
    const { relayOnly, portRange } = options;
    const ports = portRange === undefined ? {} : { portRange };
    this.#connection = stack.create(
      { iceServers, relayOnly, ...ports },
      {
        candidate: (candidate) => this.#gathered(candidate),
        state: (state) => this.#changed(state),
        channel: (channel) => this.link.addChannel(channel),
        sample: (trackId, sample) => this.#tracks?.received(trackId, sample),
        error: (error) => this.#parts.log.warn("webrtc.connection.overrun", { error }),
      },
    );
    const { clock, log, budget } = this.#parts;
    const recover = (): Promise<boolean> => this.#mending.recover();
    const connection = this.#connection;
    const restarts = (): number => this.#mending.restarts;
    const carried = { connection, peer, direction, clock, log, budget, recover, restarts };
    this.link = new WebRtcLink(carried, options.link);
    this.#exchange = new SdpExchange({
      connection,
      random: parts.random,
      candidates: this.candidates,
      add: (candidate) => this.#add(candidate),
      send: (description) => this.#send(descriptionMessage(description)),
      yields: role === "answerer",
      requireExchangeId: options.requireExchangeId,
    });
    this.#mending = new Mending(
      {
        clock,
        signaling: () => parts.signaling.connected,
        connected: () => connection.state === "connected",
        act: () => (role === "offerer" ? this.#exchange.offer("restart") : this.#ask()),
        giveUp: (reason) => this.end(reason),
      },
      role,
    );
    this.#renegotiation = new Renegotiation({
      clock,
      signaling: () => parts.signaling.connected,
      offer: () => this.#exchange.offer("renegotiation"),
      withdraw: () => this.#exchange.withdraw(),
    });
    if (stack.capabilities.media !== false) {
      const renegotiate = (): Promise<void> => this.#renegotiation.request();
      this.#tracks = new LinkTracks({ connection, renegotiate });
      this.link.media = this.#tracks;
    }
    this.#deadline = new ConnectDeadline(clock, options, (reason) => this.end(reason));
    this.ready = this.#becomeReady();
    this.ready.catch(() => {}); // Who does not wait for it learns of the end by the link.
    void this.link.closed.then(() => this.#ended());
  }

  /** Whether it has ever carried messages. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Whether the connection has just been offered, so that the peer is about to answer. */
  get isOffering(): boolean {
    return this.#begunAt !== undefined && this.#parts.clock.monotonic() < this.#begunAt + freshMs;
  }

  /** Offers the connection with all its lanes. For the side that the server made the offerer. */
  begin(): void {
    this.#begunAt = this.#parts.clock.monotonic();
    this.link.openChannels();
    this.#exchange.offer("offer").catch((error: unknown) => this.end(textOf(error)));
  }

  /** The peer offers: the connection, a restart of it, or other media. An offer that cannot be answered ends it. */
  offered(description: SignaledDescription): void {
    this.#exchange
      .answer(description)
      .then((taken) => taken && this.#offerTaken(description.kind))
      .catch((error: unknown) => this.end(textOf(error)));
  }

  /** The peer answers; only the answer to the last offer counts. */
  answered(description: SignaledDescription): void {
    this.#exchange
      .answered(description)
      .then((taken) => taken && this.#completed())
      .catch((error: unknown) => this.#unusable("answer", error));
  }

  /** The peer names an address of its own. */
  candidate(candidate: IceCandidate): void {
    if (this.candidates.take(candidate)) this.#add(candidate);
  }

  /** The peer asks for another path. */
  restartRequested(): void {
    if (this.#isUp && this.facts.role === "offerer") this.#mending.requested();
  }

  /** Signaling is back. */
  signalingConnected(): void {
    this.#mending.changed();
    this.#renegotiation.signalingConnected();
  }

  /** Ends the connection at once. Idempotent. */
  end(reason: string): void {
    this.link.fail(reason);
  }

  async #becomeReady(): Promise<WebRtcLink> {
    await this.link.ready;
    await Promise.race([this.link.learnPath(), this.link.closed]);
    this.link.assertOpen();
    this.#deadline.cancel();
    this.#isUp = true;
    if (this.#exchange.peerBeats) this.link.watch(this.#parts.keepAlive);
    this.#mending.state(this.#connection.state);
    return this.link;
  }

  #completed(): void {
    this.#begunAt = undefined;
    this.#renegotiation.answered();
    this.#mending.exchanged();
  }

  #offerTaken(kind: SignaledDescription["kind"]): void {
    this.#renegotiation.gaveWay();
    if (kind === "restart") this.#mending.exchanged();
  }

  async #ask(): Promise<void> {
    this.#send(restartRequest);
  }

  #add(candidate: IceCandidate): void {
    this.#connection
      .addCandidate(candidate)
      .catch((error: unknown) => this.#unusable("candidate", error));
  }

  #gathered(candidate: LocalCandidate): void {
    try {
      this.#send(candidateMessage(candidate));
    } catch (error) {
      // The peer may find the path by itself, from the checks that reach it.
      this.#parts.log.debug("webrtc.candidate.unsent", { reason: textOf(error) });
    }
  }

  #changed(state: PeerConnectionState): void {
    if (this.#isOver) return;
    if (state === "connected") this.#deadline.pathFound();
    this.link.connectionState(state);
    if (this.#isUp) this.#mending.state(state);
    else if (state === "failed") this.end("no path to the peer was found");
  }

  #ended(): void {
    this.#isOver = true;
    this.#deadline.cancel();
    this.#mending.end();
    this.#renegotiation.end();
  }

  #send(message: RelayInit): void {
    this.#parts.signaling.sendRelay(this.facts.peer, message);
  }

  #unusable(what: "answer" | "candidate", error: unknown): void {
    this.#parts.log.debug(`webrtc.${what}.unusable`, { reason: textOf(error) });
  }
}

function textOf(error: unknown): string {
  return ActrError.from(error).message;
}
