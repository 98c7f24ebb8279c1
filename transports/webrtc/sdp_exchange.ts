import type { IceCandidate, PeerConnection } from "../../src/ports/peer_connections.ts";
import type { Random } from "../../src/ports/random.ts";
import type { OfferKind, SignaledDescription } from "./peer_signals.ts";
import type { RemoteCandidates } from "./remote_candidates.ts";
import {
  type RoostAttributes,
  readRoostAttributes,
  withRoostAttributes,
} from "./roost_attributes.ts";

/** What an {@link SdpExchange} works with. */
export interface SdpExchangeParts {
  readonly connection: PeerConnection;
  readonly random: Random;
  /** The peer's candidates, which wait for its descriptions. */
  readonly candidates: RemoteCandidates;
  /** Gives the connection a candidate whose description is there. */
  readonly add: (candidate: IceCandidate) => void;
  /** Sends a description. @throws ActrError when signaling is down. */
  readonly send: (description: SignaledDescription) => void;
  /** Whether an offer of this side gives way to one of the peer's that crosses it (`spec/transport.md` §6.9). */
  readonly yields: boolean;
  /** Whether an answer has to name its offer. */
  readonly requireExchangeId: boolean;
}

/** The descriptions that both sides of a connection give each other: worked on one after the other, each answer paired with its offer. */
export class SdpExchange {
  readonly #parts: SdpExchangeParts;
  #turn: Promise<void> = Promise.resolve();
  /** The exchange id of an offer of ours that is not answered. */
  #pending: string | undefined;
  #peer: RoostAttributes = readRoostAttributes("");

  constructor(parts: SdpExchangeParts) {
    this.#parts = parts;
  }

  /** What the peer's last description tells of it. */
  get peer(): RoostAttributes {
    return this.#peer;
  }

  /** Offers the connection, another path for it, or other media; the answer to any offer before is stale from then on. */
  offer(kind: OfferKind): Promise<void> {
    return this.#inTurn(async () => {
      const { connection, random, send } = this.#parts;
      const { sdp } = await connection.createOffer({ iceRestart: kind === "restart" });
      const exchangeId = random.uuid();
      this.#pending = exchangeId;
      send({ kind, sdp: withRoostAttributes(sdp), exchangeId });
    });
  }

  /** The offer that waits is not waited for any more: a late answer to it is stale, and the peer's offers count again. */
  withdraw(): void {
    this.#pending = undefined;
  }

  /** Answers an offer of the peer, under its id; false for one that crosses an offer of this side, which counts. */
  async answer({ sdp, exchangeId }: SignaledDescription): Promise<boolean> {
    let taken = false;
    await this.#inTurn(async () => {
      const { connection, yields, send } = this.#parts;
      if (this.#pending !== undefined && !yields) return;
      this.#pending = undefined;
      await this.#takeRemote("offer", sdp);
      const answer = await connection.createAnswer();
      send({ kind: "answer", sdp: withRoostAttributes(answer.sdp), exchangeId });
      taken = true;
    });
    return taken;
  }

  /** Takes an answer of the peer; false for one that is not to the last offer, which goes on waiting. */
  async answered({ sdp, exchangeId }: SignaledDescription): Promise<boolean> {
    let taken = false;
    await this.#inTurn(async () => {
      const unnamed = exchangeId === undefined && !this.#parts.requireExchangeId;
      if (this.#pending === undefined || (exchangeId !== this.#pending && !unnamed)) return;
      await this.#takeRemote("answer", sdp);
      this.#pending = undefined;
      taken = true;
    });
    return taken;
  }

  async #takeRemote(type: "offer" | "answer", sdp: string): Promise<void> {
    const { connection, candidates, add } = this.#parts;
    await connection.setRemote({ type, sdp });
    this.#peer = readRoostAttributes(sdp);
    for (const candidate of candidates.described(sdp)) add(candidate);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}
