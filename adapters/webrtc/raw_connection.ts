import type { LiveTrack, MediaCodec } from "../../src/media.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { MediaCapabilities } from "../../src/ports/media.ts";
import type {
  CandidatePair,
  ChannelOptions,
  Description,
  PeerConnectionState,
} from "../../src/ports/peer_connections.ts";
import type { RawTrack } from "./local_tracks.ts";
import type { PeerChannel } from "./peer_channel.ts";
import type { PlacedCandidate } from "./sdp.ts";

/** The peer's live tracks, by the section of the description that they come by. */
export interface RawReceiver {
  /** The track of a section, for as long as the peer sends it. */
  begin(mid: string): LiveTrack | undefined;
  /** The peer sends it no more. */
  end(mid: string): void;
}

/** What a stack's own connection does; calls may throw or reject with anything. */
export interface RawConnection {
  /** What the stack says of it now, where its events may leave a change out. */
  state?(): PeerConnectionState;
  /** Makes a description, makes it local and returns its text. */
  describe(type: Description["type"], iceRestart: boolean): Promise<string>;
  setRemote(description: Description): Promise<void>;
  addCandidate(candidate: PlacedCandidate): Promise<void>;
  /** Opens a channel, made known by `Connection.wrap`. */
  createChannel(label: string, options: ChannelOptions): PeerChannel;
  /** Makes room for media tracks of a codec, where the stack has media. */
  openTrack?(codec: MediaCodec): RawTrack;
  /** What plays the peer's tracks, where the form of media is `live`. */
  readonly receiver?: RawReceiver;
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
