import { ActrError } from "../../src/errors.ts";
import type { MediaCodec, MediaTrack } from "../../src/media.ts";
import type { LocalTrack } from "../../src/ports/media.ts";
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
import { ConnectionState } from "./connection_state.ts";
import { LocalCandidates } from "./local_candidates.ts";
import { LocalTracks, type RawTrack } from "./local_tracks.ts";
import type { PeerChannel, RawChannel } from "./peer_channel.ts";
import { PeerChannels } from "./peer_channels.ts";
import { PlacedCandidates } from "./placed_candidates.ts";
import type { RawConnection, Stack } from "./raw_connection.ts";
import { type RawSample, RemoteTracks } from "./remote_tracks.ts";

/** Media tracks of each side, unless the options say otherwise. */
const defaultMaxTracks = 16;

const { signal: never } = new AbortController();

/** A connection over any stack: orders, de-duplicates and completes what the stack says. */
export class Connection implements PeerConnection {
  readonly #stack: Stack;
  readonly #handler: PeerConnectionHandler;
  readonly #state: ConnectionState;
  readonly #channels: PeerChannels;
  readonly #localCandidates: LocalCandidates;
  readonly #remoteCandidates = new PlacedCandidates();
  readonly #localTracks: LocalTracks | undefined;
  readonly #remoteTracks: RemoteTracks;
  readonly #raw: RawConnection;

  /** @throws ActrError `config` when `open` throws. */
  constructor(
    stack: Stack,
    options: PeerConnectionOptions,
    handler: PeerConnectionHandler,
    open: (connection: Connection) => RawConnection,
  ) {
    const { maxTracks = defaultMaxTracks } = options;
    this.#stack = stack;
    this.#handler = handler;
    this.#state = new ConnectionState({
      clock: stack.clock,
      seen: () => this.#raw.state?.(),
      tell: (state) => handler.state(state),
    });
    this.#channels = new PeerChannels(stack, options, (reason) => this.#giveUp(reason));
    this.#localCandidates = new LocalCandidates((candidate) => handler.candidate(candidate));
    this.#localTracks = this.#makeTracks(maxTracks);
    this.#remoteTracks = new RemoteTracks({ handler, live: () => this.#raw.receiver }, maxTracks);
    try {
      this.#raw = open(this);
    } catch (error) {
      throw new ActrError("config", `WebRTC settings refused: ${textOf(error)}`, { cause: error });
    }
  }

  get state(): PeerConnectionState {
    return this.#state.current;
  }

  createOffer(options: { readonly iceRestart?: boolean } = {}): Promise<Description> {
    return this.#describe("offer", options.iceRestart ?? false);
  }

  createAnswer(): Promise<Description> {
    return this.#describe("answer", false);
  }

  async setRemote(description: Description): Promise<void> {
    const { sdp } = description;
    const isOwn = (mid: string): boolean => this.#localTracks?.owns(mid) ?? false;
    this.#remoteTracks.check(sdp, isOwn);
    await this.#attempt("invalid_argument", () => this.#raw.setRemote(description));
    if (this.#localTracks !== undefined) this.#remoteTracks.described(sdp);
    this.#channels.described(sdp);
    const early = this.#remoteCandidates.described(sdp);
    // One that cannot be used must not keep the others out.
    await Promise.allSettled(early.map((candidate) => this.addCandidate(candidate)));
  }

  async addCandidate(candidate: IceCandidate): Promise<void> {
    this.#assertOpen();
    const placed = this.#remoteCandidates.take(candidate);
    if (placed === undefined) return;
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
    if (this.#isClosed) return;
    this.#localTracks?.end();
    this.#raw.close();
    const { clock, lingerMs = 0 } = this.#stack;
    // A timer would not keep the process up.
    if (lingerMs > 0) void clock.sleep(lingerMs, { signal: never });
    this.#remoteTracks.end();
    this.#channels.end();
    this.#state.enter("closed");
  }

  /** To be called when the stack's connection has changed; what it repeats is dropped. */
  changed(state: PeerConnectionState): void {
    if (state === "closed") this.close();
    else this.#state.enter(state);
  }

  /** To be called for each candidate of this side. */
  gathered(candidate: IceCandidate): void {
    if (!this.#isClosed) this.#localCandidates.gathered(candidate);
  }

  /** To be called for each channel, own or the peer's, whose events then go to the result. */
  wrap(raw: RawChannel): PeerChannel {
    return this.#channels.wrap(raw);
  }

  /** To be called for each media sample, with the section that it came by. */
  sampled(mid: string, sample: RawSample): void {
    if (!this.#isClosed) this.#remoteTracks.received(mid, sample);
  }

  /** To be called when the peer has opened a channel, once its events are wired. */
  offered(channel: PeerChannel): void {
    if (this.#isClosed) channel.ended();
    else this.#handler.channel(channel);
  }

  get #isClosed(): boolean {
    return this.#state.current === "closed";
  }

  #giveUp(reason: ActrError): void {
    if (this.#isClosed) return;
    this.#handler.error?.(reason);
    this.close();
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

  async #describe(type: Description["type"], iceRestart: boolean): Promise<Description> {
    this.#localCandidates.hold();
    try {
      const sdp = await this.#attempt("internal", () => this.#raw.describe(type, iceRestart));
      this.#localCandidates.described(sdp);
      return { type, sdp };
    } finally {
      // Not before the caller has seen the description.
      this.#stack.clock.defer(() => !this.#isClosed && this.#localCandidates.release());
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw closedError();
  }

  async #attempt<T>(code: "invalid_argument" | "internal", act: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    try {
      return await act();
    } catch (error) {
      if (this.#isClosed) throw closedError();
      if (ActrError.is(error)) throw error;
      throw new ActrError(code, `WebRTC: ${textOf(error)}`, { cause: error });
    }
  }
}

function closedError(): ActrError {
  return new ActrError("unavailable", "the peer connection is closed");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
