import type { ActrError } from "../errors.ts";
import type { MediaSample, MediaTrack } from "../media.ts";
import type { LocalTrack, MediaCapabilities, RemoteTrack } from "./media.ts";

/** One session description, as signaling carries it. */
export interface Description {
  readonly type: "offer" | "answer";
  readonly sdp: string;
}

/** One ICE candidate, as signaling carries it; peers leave out what they like but the first field. */
export interface IceCandidate {
  /** `candidate:…`, without `a=`. */
  readonly candidate: string;
  readonly sdpMid?: string | null;
  readonly sdpMLineIndex?: number | null;
  readonly usernameFragment?: string | null;
}

/** A candidate of this side: complete, since Actr peers drop one without fragment (`spec/transport.md` §6.4). */
export interface LocalCandidate extends IceCandidate {
  readonly sdpMid: string;
  readonly sdpMLineIndex: number;
  readonly usernameFragment: string;
}

/** Where to learn one's public address, or a relay. */
export interface IceServer {
  /** `stun:`, `turn:` or `turns:` URLs. */
  readonly urls: readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

/** Settings of one connection. */
export interface PeerConnectionOptions {
  readonly iceServers: readonly IceServer[];
  /** Uses relayed candidates alone. @default false */
  readonly relayOnly?: boolean;
  /** Local UDP ports, both ends included. @default any */
  readonly portRange?: { readonly min: number; readonly max: number };
  /** Most bytes that one channel holds back; {@link Channel.send} refuses what would go beyond. @default 2 MiB */
  readonly maxBufferedBytes?: number;
  /** A channel that held more than this and holds no more than this again is {@link ChannelHandler.drained}. @default 256 KiB less than `maxBufferedBytes`, 0 at least */
  readonly lowWaterBytes?: number;
  /** Most bytes kept of messages on channels without handler, each counted with 64 bytes more; beyond, the connection closes. @default 1 MiB */
  readonly maxEarlyBytes?: number;
  /** Most tracks of each side, also counting those that were removed and whose place is not used again. @default 16 */
  readonly maxTracks?: number;
}

/** `disconnected` may heal by itself, `failed` by an ICE restart at most, `closed` not at all. */
export type PeerConnectionState =
  | "new"
  | "connecting"
  | "connected"
  | "disconnected"
  | "failed"
  | "closed";

/** What a connection tells its owner. */
export interface PeerConnectionHandler {
  /** A candidate to send to the peer; told in a later turn than the description that it belongs to, and by some stacks not before the first offer is answered. */
  candidate(candidate: LocalCandidate): void;
  /** The state has changed; never the same twice in a row, and a short one may be left out. `closed` comes once and last, after every channel's end. */
  state(state: PeerConnectionState): void;
  /** The peer has opened a channel. Install its handler before this turn ends. */
  channel(channel: Channel): void;
  /** The peer sends a track, from the answer to the offer that names it. */
  track?(track: RemoteTrack): void;
  /** The peer has removed a track. */
  trackEnded?(id: string): void;
  /** One sample of a track of the peer; its bytes belong to the receiver. */
  sample?(trackId: string, sample: MediaSample): void;
  /** Why this side closes by itself, told right before: ActrError `overloaded` when messages without handler became too much. */
  error?(error: ActrError): void;
}

/** What a channel tells its owner. */
export interface ChannelHandler {
  /** Called once when the channel can send, unless it could when the handler was installed. */
  open?(): void;
  /** One binary message. The bytes belong to the receiver. Text messages are dropped by the adapter. */
  message(data: Uint8Array): void;
  /** The channel, having held more than the low-water mark, holds no more than that again. */
  drained?(): void;
  /** Called once, last: the connection was closed here or there. A killed peer is told by {@link PeerConnectionHandler.state} alone. */
  closed(): void;
}

/** How a channel delivers. */
export interface ChannelOptions {
  /** @default true */
  readonly ordered?: boolean;
  /** How often a lost message is sent again before it is given up. @default until it arrives */
  readonly maxRetransmits?: number;
}

/** One data channel. It lives as long as its connection: peers take the end of one for the end of all (`spec/transport.md` §2.1). */
export interface Channel {
  readonly label: string;
  readonly state: "connecting" | "open" | "closed";
  /** Bytes accepted by {@link Channel.send} and not yet taken by the network. */
  readonly bufferedAmount: number;
  /** Largest message that both ends take, bytes. */
  readonly maxMessageBytes: number;
  /**
   * Sends one binary message of at least one byte; what is accepted is lost only with the connection, or as the channel's
   * options allow. The bytes are the sender's again at once.
   * @throws ActrError `overloaded` when it would hold back too much (wait for `drained`), `invalid_argument` when longer
   * than {@link Channel.maxMessageBytes}, `unavailable` when the channel is not open. RangeError for an empty message,
   * which some stacks choke on.
   */
  send(data: Uint8Array): void;
  /** Installs the handler; messages that arrived before are delivered first. */
  handle(handler: ChannelHandler): void;
}

/** Kinds of candidates: an address of one's own, as a STUN server or the peer saw it, or of a relay. */
export type CandidateType = "host" | "srflx" | "prflx" | "relay";

/** The two ends of the path in use. */
export interface CandidatePair {
  readonly local: CandidateType;
  readonly remote: CandidateType;
}

/**
 * One connection to one peer. Everything but `close` is rejected with ActrError `unavailable` once it is closed.
 * An open connection keeps the process alive.
 */
export interface PeerConnection {
  readonly state: PeerConnectionState;
  /**
   * Makes an offer and begins to gather candidates for it; the offer is to be sent.
   * @throws ActrError `not_implemented` for an ICE restart where the stack has none.
   */
  createOffer(options?: { readonly iceRestart?: boolean }): Promise<Description>;
  /** Makes the answer to the offer given to {@link PeerConnection.setRemote}; it is to be sent. */
  createAnswer(): Promise<Description>;
  /**
   * Takes the peer's description; an offer undoes an own one that was not answered, on a connection that was up before.
   * @throws ActrError `invalid_argument` when it cannot be used, `overloaded` when it has too many tracks.
   */
  setRemote(description: Description): Promise<void>;
  /**
   * Takes one of the peer's candidates; before a description has come it is kept, at most 256 of them, the oldest dropped.
   * An empty candidate says that there are no more.
   * @throws ActrError `invalid_argument` when it cannot be used.
   */
  addCandidate(candidate: IceCandidate): Promise<void>;
  /** Opens a channel; before the first offer for all but the first lanes of a connection, so that the offer has room for it. */
  createChannel(label: string, options?: ChannelOptions): Channel;
  /**
   * Adds a track of this side; the next offer tells the peer of it.
   * @throws ActrError `not_implemented` when the stack has no media or does not send the codec, `invalid_argument` for an id
   * that is none or in use and a source that does not fit, `overloaded` when it would be one too many, `unavailable` when closed.
   */
  addTrack(track: MediaTrack): LocalTrack;
  /** Removes a track of this side; the next offer tells the peer of it, and its place in descriptions serves a later one. */
  removeTrack(id: string): void;
  /** The path in use; undefined before there is one. */
  candidatePair(): Promise<CandidatePair | undefined>;
  /** Ends the connection and its channels, and tells so before it returns. Idempotent. */
  close(): void;
}

/** What a stack can do: data, so that suites and callers branch on it and never on names. */
export interface PeerConnectionsCapabilities {
  /** How it carries audio and video, where it does. */
  readonly media: MediaCapabilities | false;
  /** Whether it reaches TURN servers over TCP and TLS; where not, such URLs are left out. */
  readonly turnTcp: boolean;
  /** Whether {@link PeerConnection.createOffer} can restart ICE. */
  readonly iceRestart: boolean;
  /** Largest message, bytes; a peer may take less. */
  readonly maxMessageBytes: number;
  /** Whether the stack tells that a buffer is low; where not, the adapter looks every few milliseconds. */
  readonly lowWaterEvents: boolean;
  /** Time in which the state tells of a peer that was killed, milliseconds. */
  readonly noticesLossWithinMs: number;
  /** Whether a process that carried media should end by an explicit exit, since on some runtime it crashes or stays up otherwise. */
  readonly mediaNeedsExit: boolean;
}

/** WebRTC of one stack. */
export interface PeerConnections {
  readonly name: string;
  readonly capabilities: PeerConnectionsCapabilities;
  /** Makes a connection. @throws ActrError `config` when the stack refuses the settings. */
  create(options: PeerConnectionOptions, handler: PeerConnectionHandler): PeerConnection;
}
