import { ActrError } from "../../src/errors.ts";
import type { MediaCodec, MediaTrack } from "../../src/media.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";
import type { LocalTrack, MediaCapabilities } from "../../src/ports/media.ts";
import type {
  CandidatePair,
  Channel,
  ChannelOptions,
  Description,
  IceCandidate,
  PeerConnection,
  PeerConnectionHandler,
  PeerConnectionOptions,
  PeerConnectionState,
} from "../../src/ports/peer_connections.ts";
import { EarlyBudget } from "./early_budget.ts";
import { LocalTracks, type RawTrack } from "./local_tracks.ts";
import { type ChannelLimits, PeerChannel, type RawChannel } from "./peer_channel.ts";
import { type RawSample, RemoteTracks } from "./remote_tracks.ts";
import {
  candidateFragment,
  maxMessageBytes,
  mids,
  type PlacedCandidate,
  place,
  usernameFragment,
} from "./sdp.ts";

/** What a stack's own connection does; calls may throw or reject with anything. */
export interface RawConnection {
  /** Makes a description, makes it local and returns its text. */
  describe(type: Description["type"], iceRestart: boolean): Promise<string>;
  setRemote(description: Description): Promise<void>;
  addCandidate(candidate: PlacedCandidate): Promise<void>;
  /** Opens a channel, made known by {@link Connection.wrap}. */
  createChannel(label: string, options: ChannelOptions): PeerChannel;
  /** Makes room for media tracks of a codec, where the stack has media. */
  openTrack?(codec: MediaCodec): RawTrack;
  candidatePair(): Promise<CandidatePair | undefined>;
  close(): void;
}

/** What is the same for all connections of a stack. */
export interface Stack {
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly lowWaterEvents: boolean;
  readonly media?: MediaCapabilities;
  /** Time in which a closed connection keeps the process up, for what its stack has still to do. @default 0 */
  readonly lingerMs?: number;
}

/** Candidates kept until a description comes (`spec/transport.md` §6.4). */
const maxEarlyCandidates = 256;

/**
 * How long a connection may be disconnected before it counts as failed, milliseconds. wrtc says so itself after 10 s, but
 * not always: with five peers killed at once on a busy machine, one stayed disconnected for 50 s.
 */
const disconnectedLimitMs = 12_000;

/** Bytes kept for channels without handler, unless the options say otherwise. */
const defaultMaxEarlyBytes = 1_048_576;

/** Media tracks of each side, unless the options say otherwise. */
const defaultMaxTracks = 16;

/** Limits of channels unless the options say otherwise. */
export const defaultLimits: ChannelLimits = { maxBufferedBytes: 1_048_576, lowWaterBytes: 262_144 };

/** A connection over any stack: orders, de-duplicates and completes what the stack says. */
export class Connection implements PeerConnection {
  readonly #stack: Stack;
  readonly #limits: ChannelLimits;
  readonly #handler: PeerConnectionHandler;
  readonly #raw: RawConnection;
  readonly #channels = new Set<PeerChannel>();
  readonly #earlyMessages: EarlyBudget;
  readonly #remoteTracks: RemoteTracks;
  readonly #localTracks: LocalTracks | undefined;
  #state: PeerConnectionState = "new";
  /** Runs while the connection is disconnected. */
  #patience: Timer | undefined;
  #localSdp = "";
  #remoteSdp = "";
  /** Read from the peer's description once, not for each message. */
  #maxMessageBytes: number;
  #early: IceCandidate[] = [];
  /** Local candidates whose description is still being made. */
  #held: IceCandidate[] | undefined = [];

  /** @throws ActrError `config` when `open` throws. */
  constructor(
    stack: Stack,
    options: PeerConnectionOptions,
    handler: PeerConnectionHandler,
    open: (connection: Connection) => RawConnection,
  ) {
    this.#stack = stack;
    this.#limits = {
      maxBufferedBytes: options.maxBufferedBytes ?? defaultLimits.maxBufferedBytes,
      lowWaterBytes: options.lowWaterBytes ?? defaultLimits.lowWaterBytes,
    };
    this.#handler = handler;
    this.#maxMessageBytes = this.#maxMessageBytesIn("");
    this.#earlyMessages = new EarlyBudget(options.maxEarlyBytes ?? defaultMaxEarlyBytes, (limit) =>
      this.#giveUp(unheard(limit)),
    );
    const { maxTracks = defaultMaxTracks } = options;
    this.#remoteTracks = new RemoteTracks(handler, maxTracks);
    this.#localTracks = this.#makeTracks(maxTracks);
    try {
      this.#raw = open(this);
    } catch (error) {
      throw new ActrError("config", `WebRTC settings refused: ${textOf(error)}`, { cause: error });
    }
  }

  get state(): PeerConnectionState {
    return this.#state;
  }

  createOffer(options: { readonly iceRestart?: boolean } = {}): Promise<Description> {
    return this.#describe("offer", options.iceRestart ?? false);
  }

  createAnswer(): Promise<Description> {
    return this.#describe("answer", false);
  }

  async setRemote(description: Description): Promise<void> {
    const isOwn = (mid: string): boolean => this.#localTracks?.owns(mid) ?? false;
    this.#remoteTracks.check(description.sdp, isOwn);
    await this.#attempt("invalid_argument", () => this.#raw.setRemote(description));
    this.#remoteSdp = description.sdp;
    if (this.#localTracks !== undefined) this.#remoteTracks.described(description.sdp);
    this.#maxMessageBytes = this.#maxMessageBytesIn(description.sdp);
    const early = this.#early.splice(0);
    // One that cannot be used must not keep the others out.
    await Promise.allSettled(early.map((candidate) => this.addCandidate(candidate)));
  }

  async addCandidate(candidate: IceCandidate): Promise<void> {
    this.#assertOpen();
    if (candidate.candidate === "") return;
    if (this.#remoteSdp === "") {
      this.#early.push(candidate);
      if (this.#early.length > maxEarlyCandidates) this.#early.shift();
      return;
    }
    const placed = place(candidate, this.#remoteSdp);
    await this.#attempt("invalid_argument", () => this.#raw.addCandidate(placed));
  }

  createChannel(label: string, options: ChannelOptions = {}): Channel {
    this.#assertOpen();
    return this.#raw.createChannel(label, options);
  }

  addTrack(track: MediaTrack): LocalTrack {
    this.#assertOpen();
    if (this.#localTracks !== undefined) return this.#localTracks.add(track);
    const message = "this WebRTC stack carries no media; use one that does, such as @roamhq/wrtc";
    throw new ActrError("not_implemented", message);
  }

  removeTrack(id: string): void {
    this.#assertOpen();
    this.#localTracks?.remove(id);
  }

  candidatePair(): Promise<CandidatePair | undefined> {
    return this.#attempt("internal", () => this.#raw.candidatePair());
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#localTracks?.end();
    this.#raw.close();
    const { clock, lingerMs = 0 } = this.#stack;
    if (lingerMs > 0) clock.timer(clock.now() + lingerMs, () => {});
    this.#ended();
  }

  /** To be called when the stack's connection has changed; what it repeats is dropped. */
  changed(state: PeerConnectionState): void {
    if (state === "closed") this.close();
    else if (this.#state !== "closed" && state !== this.#state) this.#enter(state);
  }

  /** To be called for each candidate of this side. */
  gathered(candidate: IceCandidate): void {
    if (this.#state === "closed" || candidate.candidate === "") return;
    if (this.#held !== undefined) this.#held.push(candidate);
    else this.#tell(candidate);
  }

  /** To be called for each channel, own or the peer's, whose events then go to the result. */
  wrap(raw: RawChannel): PeerChannel {
    const { clock, lowWaterEvents } = this.#stack;
    const channel = new PeerChannel(
      {
        raw,
        clock,
        lowWaterEvents,
        maxMessageBytes: () => this.#maxMessageBytes,
        early: this.#earlyMessages,
      },
      this.#limits,
    );
    this.#channels.add(channel);
    return channel;
  }

  /** To be called for each media sample, with the section that it came by. */
  sampled(mid: string, sample: RawSample): void {
    if (this.#state !== "closed") this.#remoteTracks.received(mid, sample);
  }

  /** To be called when the peer has opened a channel, once its events are wired. */
  offered(channel: PeerChannel): void {
    if (this.#state === "closed") channel.ended();
    else this.#handler.channel(channel);
  }

  #enter(state: PeerConnectionState): void {
    // What was given up is not half lost again.
    if (this.#state === "failed" && state === "disconnected") return;
    this.#patience?.cancel();
    this.#state = state;
    if (state === "disconnected") {
      const { clock } = this.#stack;
      this.#patience = clock.timer(clock.now() + disconnectedLimitMs, () => this.#enter("failed"));
    }
    this.#handler.state(state);
  }

  #giveUp(reason: ActrError): void {
    if (this.#state === "closed") return;
    this.#handler.error?.(reason);
    this.close();
  }

  #ended(): void {
    this.#early = [];
    this.#held = [];
    this.#remoteTracks.end();
    for (const channel of this.#channels) channel.ended();
    this.#channels.clear();
    this.#enter("closed");
  }

  #makeTracks(maxTracks: number): LocalTracks | undefined {
    const { media } = this.#stack;
    const open = (codec: MediaCodec): RawTrack => {
      const raw = this.#raw.openTrack?.(codec);
      if (raw === undefined) throw new TypeError("a stack with media opens no tracks");
      return raw;
    };
    return media === undefined ? undefined : new LocalTracks({ media, open }, maxTracks);
  }

  #maxMessageBytesIn(remoteSdp: string): number {
    return Math.min(this.#stack.maxMessageBytes, maxMessageBytes(remoteSdp));
  }

  async #describe(type: Description["type"], iceRestart: boolean): Promise<Description> {
    this.#held ??= [];
    try {
      const sdp = await this.#attempt("internal", () => this.#raw.describe(type, iceRestart));
      this.#localSdp = sdp;
      return { type, sdp };
    } finally {
      // Not before the caller has seen the description.
      this.#stack.clock.defer(() => this.#release());
    }
  }

  #release(): void {
    const held = this.#held ?? [];
    if (this.#localSdp === "" || this.#state === "closed") return;
    this.#held = undefined;
    for (const candidate of held) this.#tell(candidate);
  }

  #tell({ candidate, sdpMid, sdpMLineIndex, usernameFragment: fragment }: IceCandidate): void {
    const known = mids(this.#localSdp);
    const index = sdpMLineIndex ?? Math.max(0, known.indexOf(sdpMid ?? ""));
    this.#handler.candidate({
      candidate: candidate.replace(/^a=/, ""),
      sdpMid: sdpMid ?? known[index] ?? String(index),
      sdpMLineIndex: index,
      usernameFragment:
        fragment || candidateFragment(candidate) || usernameFragment(this.#localSdp),
    });
  }

  #assertOpen(): void {
    if (this.#state === "closed") throw closedError();
  }

  async #attempt<T>(code: "invalid_argument" | "internal", act: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    try {
      return await act();
    } catch (error) {
      if (this.state === "closed") throw closedError();
      if (ActrError.is(error)) throw error;
      throw new ActrError(code, `WebRTC: ${textOf(error)}`, { cause: error });
    }
  }
}

function unheard(limit: number): ActrError {
  return new ActrError(
    "overloaded",
    `the peer sent more than ${limit} bytes on channels that nobody handles; open the agreed lanes alone`,
  );
}

function closedError(): ActrError {
  return new ActrError("unavailable", "the peer connection is closed");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
