import { ActrError } from "../../src/errors.ts";
import type { IceCandidate, PeerConnection } from "../../src/ports/peer_connections.ts";
import type { RelayInit } from "../../src/signaling/signaling_listeners.ts";
import type { NegotiationParts } from "./negotiation_parts.ts";
import { descriptionMessage, type SignaledDescription } from "./peer_signals.ts";
import type { RemoteCandidates } from "./remote_candidates.ts";
import { Renegotiation } from "./renegotiation.ts";
import type { RoostAttributes } from "./roost_attributes.ts";
import { SdpExchange } from "./sdp_exchange.ts";

/** How long an unanswered offer counts as under way, milliseconds: a second assignment of roles is then served by it. */
const freshMs = 2_000;

/** What an {@link Agreement} works with. */
export interface AgreementParts
  extends Pick<NegotiationParts, "clock" | "random" | "log" | "signaling"> {
  readonly connection: PeerConnection;
  /** The peer's. */
  readonly candidates: RemoteCandidates;
  /** Sends the peer a message. @throws ActrError when signaling is down. */
  readonly send: (message: RelayInit) => void;
  /** Whether an offer of this side gives way to one of the peer's that crosses it. */
  readonly yields: boolean;
  readonly requireExchangeId: boolean;
  /** Descriptions have been exchanged that may bring another path. */
  readonly exchanged: () => void;
}

/** What the two sides of a connection agree on through signaling: the connection itself, its paths and its tracks. */
export class Agreement {
  readonly #parts: AgreementParts;
  readonly #exchange: SdpExchange;
  readonly #renegotiation: Renegotiation;
  /** When the connection was offered, while that is not answered. */
  #begunAt: number | undefined;

  constructor(parts: AgreementParts) {
    this.#parts = parts;
    this.#exchange = new SdpExchange({
      ...parts,
      add: (candidate) => this.#add(candidate),
      send: (description) => parts.send(descriptionMessage(description)),
    });
    this.#renegotiation = new Renegotiation({
      clock: parts.clock,
      signaling: () => parts.signaling.connected,
      offer: () => this.#exchange.offer("renegotiation"),
      withdraw: () => this.#exchange.withdraw(),
    });
  }

  /** Whether the connection has just been offered, so that the peer is about to answer. */
  get isOffering(): boolean {
    return this.#begunAt !== undefined && this.#parts.clock.monotonic() < this.#begunAt + freshMs;
  }

  /** What the peer tells of itself. */
  get peer(): RoostAttributes {
    return this.#exchange.peer;
  }

  /** Offers the connection. */
  begin(): Promise<void> {
    this.#begunAt = this.#parts.clock.monotonic();
    return this.#exchange.offer("offer");
  }

  /** Offers another path. */
  restart(): Promise<void> {
    return this.#exchange.offer("restart");
  }

  /** Offers the tracks of now; resolves when the peer has agreed. @throws ActrError `timed_out`, `unavailable`. */
  renegotiate(): Promise<void> {
    return this.#renegotiation.request();
  }

  /** The peer offers: the connection, another path, or other tracks. @throws ActrError for an offer that cannot be answered. */
  async offered(description: SignaledDescription): Promise<void> {
    if (!(await this.#exchange.answer(description))) return;
    this.#renegotiation.gaveWay();
    if (description.kind === "restart") this.#parts.exchanged();
  }

  /** The peer answers; only the answer to the last offer counts. */
  async answered(description: SignaledDescription): Promise<void> {
    try {
      if (!(await this.#exchange.answered(description))) return;
      this.#begunAt = undefined;
      this.#renegotiation.answered();
      this.#parts.exchanged();
    } catch (error) {
      this.#unusable("answer", error);
    }
  }

  /** The peer names an address of its own. */
  candidate(candidate: IceCandidate): void {
    if (this.#parts.candidates.take(candidate)) this.#add(candidate);
  }

  /** Signaling is back. */
  signalingConnected(): void {
    this.#renegotiation.signalingConnected();
  }

  /** The connection has ended. */
  end(): void {
    this.#renegotiation.end();
  }

  #add(candidate: IceCandidate): void {
    this.#parts.connection
      .addCandidate(candidate)
      .catch((error: unknown) => this.#unusable("candidate", error));
  }

  #unusable(what: "answer" | "candidate", error: unknown): void {
    const { message: reason } = ActrError.from(error);
    this.#parts.log.debug(`webrtc.${what}.unusable`, { reason });
  }
}
