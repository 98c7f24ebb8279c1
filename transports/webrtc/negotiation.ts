import { ActrError } from "../../src/errors.ts";
import type {
  IceCandidate,
  LocalCandidate,
  PeerConnection,
  PeerConnectionState,
} from "../../src/ports/peer_connections.ts";
import { peerKey } from "../../src/protocol/ids.ts";
import type { RelayInit } from "../../src/signaling/signaling_listeners.ts";
import { Agreement } from "./agreement.ts";
import { ConnectDeadline } from "./connect_deadline.ts";
import { LinkTracks } from "./link_tracks.ts";
import { Mending } from "./mending.ts";
import type { NegotiationFacts, NegotiationParts } from "./negotiation_parts.ts";
import { candidateMessage, restartRequest, type SignaledDescription } from "./peer_signals.ts";
import { RemoteCandidates } from "./remote_candidates.ts";
import { WebRtcLink } from "./webrtc_link.ts";
import type { WebRtcOptions } from "./webrtc_options.ts";

/** One connection to one peer, from its first description to its end: what becomes of it, and what signaling says of it. */
export class Negotiation {
  readonly facts: NegotiationFacts;
  readonly link: WebRtcLink;
  /** Resolves when the link can be used; rejects with ActrError `unavailable` when it ends before. */
  readonly ready: Promise<WebRtcLink>;
  /** The peer's. */
  readonly candidates: RemoteCandidates;
  readonly #parts: NegotiationParts;
  readonly #options: WebRtcOptions;
  readonly #connection: PeerConnection;
  readonly #agreement: Agreement;
  readonly #mending: Mending;
  readonly #deadline: ConnectDeadline;
  readonly #tracks: LinkTracks | undefined;
  #isUp = false;
  #restartWanted = false;
  #isOver = false;

  constructor(parts: NegotiationParts, facts: NegotiationFacts, options: WebRtcOptions) {
    this.#parts = { ...parts, log: parts.log.with({ peer: peerKey(facts.peer) }) };
    this.facts = facts;
    this.#options = options;
    this.candidates = new RemoteCandidates(facts.earlier);
    this.#connection = this.#open();
    this.link = this.#makeLink();
    this.#agreement = this.#makeAgreement();
    this.#mending = this.#makeMending();
    this.#tracks = this.#makeTracks();
    if (this.#tracks !== undefined) this.link.media = this.#tracks;
    this.#deadline = new ConnectDeadline(parts.clock, options, (reason) => this.end(reason));
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
    return this.#agreement.isOffering;
  }

  /** Offers the connection with all its lanes. For the side that the server made the offerer. */
  begin(): void {
    this.link.openChannels();
    this.#agreement.begin().catch((error: unknown) => this.end(textOf(error)));
  }

  /** The peer offers: the connection, a restart of it, or other media. An offer that cannot be answered ends it. */
  offered(description: SignaledDescription): void {
    this.#agreement.offered(description).catch((error: unknown) => this.end(textOf(error)));
  }

  /** The peer answers; only the answer to the last offer counts. */
  answered(description: SignaledDescription): void {
    void this.#agreement.answered(description);
  }

  /** The peer names an address of its own. */
  candidate(candidate: IceCandidate): void {
    this.#agreement.candidate(candidate);
  }

  /** The peer asks for another path, perhaps when it is ready and this side not quite. */
  restartRequested(): void {
    if (this.facts.role !== "offerer") return;
    if (this.#isUp) this.#mending.requested();
    else this.#restartWanted ||= this.#connection.state === "connected";
  }

  /** Signaling is back. */
  signalingConnected(): void {
    this.#mending.changed();
    this.#agreement.signalingConnected();
  }

  /** Ends the connection at once. Idempotent. */
  end(reason: string): void {
    this.link.fail(reason);
  }

  #open(): PeerConnection {
    const { stack, iceServers } = this.facts;
    const { relayOnly, portRange } = this.#options;
    const ports = portRange === undefined ? {} : { portRange };
    return stack.create(
      { iceServers, relayOnly, ...ports },
      {
        candidate: (candidate) => this.#gathered(candidate),
        state: (state) => this.#changed(state),
        channel: (channel) => this.link.addChannel(channel),
        track: (track) => this.#tracks?.began(track),
        trackEnded: (id) => this.#tracks?.ended(id),
        sample: (trackId, sample) => this.#tracks?.received(trackId, sample),
        error: (error) => this.#parts.log.warn("webrtc.connection.overrun", { error }),
      },
    );
  }

  #makeLink(): WebRtcLink {
    const { clock, log, budget } = this.#parts;
    const { peer, direction } = this.facts;
    const parts = { connection: this.#connection, peer, direction, clock, log, budget };
    return new WebRtcLink(
      {
        ...parts,
        recover: () => this.#mending.recover(),
        restarts: () => this.#mending.restarts,
      },
      this.#options.link,
    );
  }

  #makeAgreement(): Agreement {
    return new Agreement({
      ...this.#parts,
      connection: this.#connection,
      candidates: this.candidates,
      send: (message) => this.#send(message),
      yields: this.facts.role === "answerer",
      requireExchangeId: this.#options.requireExchangeId,
      exchanged: () => this.#mending.exchanged(),
    });
  }

  #makeMending(): Mending {
    const { clock, signaling } = this.#parts;
    const { role } = this.facts;
    const ask = async (): Promise<void> => this.#send(restartRequest);
    return new Mending(
      {
        clock,
        signaling: () => signaling.connected,
        connected: () => this.#connection.state === "connected",
        act: () => (role === "offerer" ? this.#agreement.restart() : ask()),
        giveUp: (reason) => this.end(reason),
      },
      role,
    );
  }

  #makeTracks(): LinkTracks | undefined {
    if (this.facts.stack.capabilities.media === false) return undefined;
    const renegotiate = (): Promise<void> => this.#agreement.renegotiate();
    return new LinkTracks({ connection: this.#connection, renegotiate });
  }

  async #becomeReady(): Promise<WebRtcLink> {
    await this.link.ready;
    await Promise.race([this.link.learnPath(), this.link.closed]);
    this.link.assertOpen();
    this.#deadline.cancel();
    this.#isUp = true;
    const { beats, maxMessageBytes } = this.#agreement.peer;
    this.link.peerTakes(maxMessageBytes);
    if (beats) this.link.watch(this.#parts.keepAlive);
    this.#mending.state(this.#connection.state);
    if (this.#restartWanted) this.#mending.requested();
    return this.link;
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
    this.#agreement.end();
    this.#tracks?.end();
  }

  #send(message: RelayInit): void {
    this.#parts.signaling.sendRelay(this.facts.peer, message);
  }
}

function textOf(error: unknown): string {
  return ActrError.from(error).message;
}
