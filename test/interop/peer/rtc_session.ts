import { randomUUID } from "node:crypto";
import wrtc from "@roamhq/wrtc";
import type { ActrId } from "./identity.ts";
import { LocalIce } from "./local_ice.ts";
import { RemoteIce } from "./remote_ice.ts";
import { laneOf, openChannel } from "./rtc_channels.ts";
import { RtcLane } from "./rtc_lane.ts";
import { sparse } from "./sdp.ts";
import { type Description, descriptionTypes, type Signal } from "./signals.ts";
import { labels, lanes, type Wire, type WireEvents } from "./wire.ts";

/** In what a peer differs from the real client. */
export interface RtcHabits {
  /** Candidates leave before their description does. */
  readonly candidatesFirst?: boolean;
  readonly sendsCandidates?: boolean;
  readonly takesCandidates?: boolean;
  /** What is sent for a description: others before or instead of it. */
  readonly describe?: (description: Description) => Description[] | Promise<Description[]>;
  /** When the offerer opens its further lanes. @default as soon as its offer has left */
  readonly furtherLanes?: Promise<void>;
  /** A peer of 0.3.1: its descriptions have no exchange id, its candidates no username fragment. */
  readonly ancient?: boolean;
  /** Lanes that this side, having answered, opens a channel of its own for before the offerer's has come. */
  readonly opensAsAnswerer?: readonly number[];
}

/** What an {@link RtcSession} is told at its beginning. */
export interface RtcParts extends WireEvents {
  readonly peer: ActrId;
  readonly role: "offerer" | "answerer";
  readonly habits: RtcHabits;
  readonly send: (signal: Signal) => void;
}

/** One peer connection, from its first description to its end, with the rules of `spec/transport.md` §2.1 and §6. */
export class RtcSession implements Wire {
  readonly kind = "webrtc";
  readonly peer: ActrId;
  readonly role: RtcParts["role"];
  readonly connection: RTCPeerConnection = new wrtc.RTCPeerConnection({ iceServers: [] });
  readonly lanes: readonly RtcLane[];
  /** Descriptions that came, ignored ones included. */
  readonly heard: Description[] = [];
  /** Descriptions that left. */
  readonly said: Description[] = [];
  /** Reasons of the restarts that the peer has asked for. */
  readonly requests: (string | undefined)[] = [];
  readonly candidates: LocalIce;
  /** Resolves with the first open channel; rejects when the session ends before. */
  readonly ready: Promise<void>;
  readonly closed: Promise<void>;
  readonly #parts: RtcParts;
  readonly #remote: RemoteIce;
  #end: () => void = () => {};
  #isOpen = true;
  /** The exchange id of the offer that waits for its answer. */
  #pending: string | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: RtcParts) {
    this.#parts = parts;
    this.peer = parts.peer;
    this.role = parts.role;
    this.lanes = labels.map((_, lane) => {
      return new RtcLane(lane, (body) => parts.body(this, lane, body), parts.complain);
    });
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
    const over = this.closed.then(() => Promise.reject(new Error("the session has ended")));
    this.ready = Promise.race([over, ...this.lanes.map(({ opened }) => opened)]);
    this.ready.catch(() => {}); // Whoever waits for it is told.
    const { habits, send } = parts;
    this.candidates = new LocalIce(this.connection, (candidate) => {
      const { usernameFragment: _, ...nameless } = candidate;
      if (habits.sendsCandidates !== false) send(habits.ancient === true ? nameless : candidate);
    });
    this.#remote = new RemoteIce(this.connection, parts);
    this.connection.ondatachannel = ({ channel }) => this.#announced(channel);
    this.connection.onconnectionstatechange = () => {
      if (this.connection.connectionState === "failed") this.close();
    };
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Offers: one channel before the description leaves, the three others after it, as the real client does. */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      this.#open(lanes.rpcReliable);
      await this.#offer(descriptionTypes.offer);
      void this.#openFurther();
    });
  }

  /** Offers another path. For the side that offered. */
  restart(): Promise<void> {
    return this.#inTurn(() => this.#offer(descriptionTypes.restart));
  }

  /** Takes a signal of the peer. */
  take(signal: Signal): void {
    if (signal.kind === "candidate") this.#remote.take(signal);
    if (signal.kind === "restart_request") this.#asked(signal.reason);
    if (signal.kind !== "description") return;
    this.heard.push(signal);
    void this.#inTurn(() => this.#described(signal));
  }

  async send(lane: number, body: Uint8Array): Promise<void> {
    await this.lanes[lane]?.send(body);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.connection.close();
    this.#end();
  }

  #asked(reason: string | undefined): void {
    this.requests.push(reason);
    if (this.role === "offerer") void this.restart();
  }

  async #described({ type, sdp, exchangeId }: Description): Promise<void> {
    const { complain, habits } = this.#parts;
    const ancient = habits.ancient === true;
    if (exchangeId === undefined && !ancient) return complain("a description without exchange id");
    if (type === descriptionTypes.answer) {
      if (exchangeId !== this.#pending && !ancient) return;
      this.#pending = undefined;
      return await this.#remote.described("answer", sdp);
    }
    if (this.role === "offerer") return;
    await this.#remote.described("offer", sdp);
    for (const lane of habits.opensAsAnswerer ?? []) this.#open(lane);
    const answer = await this.connection.createAnswer();
    await this.#say(answer, descriptionTypes.answer, exchangeId);
  }

  async #offer(type: number): Promise<void> {
    const iceRestart = type === descriptionTypes.restart;
    const offer = await this.connection.createOffer({ iceRestart });
    this.#pending = randomUUID();
    await this.#say(offer, type, this.#pending);
  }

  async #say(
    local: RTCSessionDescriptionInit,
    type: number,
    id: string | undefined,
  ): Promise<void> {
    const { habits, send } = this.#parts;
    const exchangeId = habits.ancient === true ? undefined : id;
    const early = habits.candidatesFirst === true ? this.candidates.next() : undefined;
    if (early === undefined) this.candidates.hold();
    await this.connection.setLocalDescription(local as RTCLocalSessionDescriptionInit);
    await early;
    const own = { kind: "description", type, sdp: sparse(local.sdp ?? ""), exchangeId } as const;
    for (const description of (await habits.describe?.(own)) ?? [own]) {
      this.said.push(description);
      send(description);
    }
    this.candidates.release();
  }

  async #openFurther(): Promise<void> {
    await this.#parts.habits.furtherLanes;
    for (const lane of [1, 2, 3]) if (this.#isOpen) this.#open(lane);
  }

  #open(lane: number): void {
    this.lanes[lane]?.add(openChannel(this.connection, lane), () => this.close());
  }

  #announced(channel: RTCDataChannel): void {
    const { complain } = this.#parts;
    if (this.role === "offerer") return complain(`the answerer opened a channel ${channel.label}`);
    const lane = laneOf(channel);
    if (typeof lane === "string") return complain(lane);
    this.lanes[lane]?.add(channel, () => this.close());
  }

  /** What goes wrong is a complaint, unless the session has ended meanwhile. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).catch((error: unknown) => {
      if (this.#isOpen) this.#parts.complain(`a description could not be used: ${error}`);
    });
    return this.#turn;
  }
}
