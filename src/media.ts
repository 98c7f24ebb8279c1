import type { Destination } from "./context.ts";
import type { ActrId } from "./protocol/ids.ts";

/** Codecs that Actr peers agree on (`spec/transport.md` §9); which of them can be sent is a matter of the WebRTC stack. */
export const mediaCodecs = ["opus", "VP8", "H264"] as const;

/** One of {@link mediaCodecs}. */
export type MediaCodec = (typeof mediaCodecs)[number];

/** How samples are laid out that the WebRTC stack encodes and decodes itself. */
export type RawFormat =
  /** Signed 16-bit little-endian samples, channels interleaved. */
  | { readonly layout: "pcm16"; readonly sampleRate: number; readonly channels: number }
  /** A picture: the plane Y, then U and V at half the width and height, without padding. */
  | { readonly layout: "i420"; readonly width: number; readonly height: number };

/** One piece of a media track (`spec/node.md` §14). */
export interface MediaSample {
  /** In {@link MediaSample.format}; without one, the payload of one RTP packet, as the codec's RTP format has it. */
  readonly data: Uint8Array;
  /** RTP timestamp, u32: 48,000 a second for Opus, 90,000 for video. A stack that takes raw samples counts it by itself. */
  readonly timestamp: number;
  /** Such as `VP8` or `opus`. */
  readonly codec: string;
  readonly kind: "audio" | "video";
  readonly format?: RawFormat;
}

/** A track that plays by itself: in a page, a `MediaStreamTrack`. */
export type LiveTrack = typeof globalThis extends {
  readonly MediaStreamTrack: { readonly prototype: infer Track };
}
  ? Track
  : { readonly kind: string; readonly readyState: "live" | "ended" };

/** A track that a node sends. */
export interface MediaTrack {
  /** Names the track at both ends: 1 to 256 visible ASCII characters, unique among the tracks to one peer. */
  readonly id: string;
  readonly codec: MediaCodec;
  /**
   * What is sent, in a page, which sends no samples: a track of `getUserMedia`, `getDisplayMedia` or `captureStream`. It
   * stays its owner's, who stops it.
   */
  readonly source?: LiveTrack | undefined;
}

/** Bounds of a change of tracks. */
export interface TrackOptions {
  /** Deadline of everything: connecting, and agreeing with the peer. Milliseconds. @default 15000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Handles one sample; one by one and in order for each track, as chunks of a stream are. */
export type SampleHandler = (sample: MediaSample, sender: ActrId) => void | Promise<void>;

/** Takes a live track of a peer; `ended` is aborted when the peer sends it no more, or nobody watches it. */
export type LiveTrackHandler = (
  track: LiveTrack,
  sender: ActrId,
  ended: AbortSignal,
) => void | Promise<void>;

/** Media tracks that a node receives, and those that it sends. Only WebRTC carries them. */
export interface Media {
  /** Handles samples of a track, in place of who did so before. @throws ActrError `overloaded` when too many tracks are registered. */
  register(trackId: string, handler: SampleHandler): void;
  /** Takes no more samples of a track. Idempotent. */
  unregister(trackId: string): void;
  /** Ids of the tracks that are registered. */
  readonly tracks: readonly string[];
  /**
   * Takes live tracks of a name, those that peers send already too, in place of who did so before. In a page; elsewhere
   * tracks come as samples. @throws ActrError `overloaded` when too many names are watched.
   */
  watch(trackId: string, handler: LiveTrackHandler): void;
  /** Takes no more live tracks of a name, and tells those ended that were taken. Idempotent. */
  unwatch(trackId: string): void;
  /**
   * Adds a track to the connection with a peer, made when there is none; resolves when the peer has agreed, with a signal
   * that is aborted when the track is gone: removed, or with that connection. One of the same id and codec is left as it
   * is; another source takes the place of its own at once.
   * @throws ActrError `not_implemented` for this node itself, without WebRTC, and when its stack cannot send the codec;
   * `unavailable` when the peer is reached by WebSocket alone; `invalid_argument` for an id that is none, or has another
   * codec, and for a source where the stack takes samples, none where it takes sources, or one of the other kind;
   * `overloaded` beyond the tracks of a connection; `timed_out`, `connection_not_ready`; the signal's reason.
   */
  addTrack(target: Destination, track: MediaTrack, options?: TrackOptions): Promise<AbortSignal>;
  /**
   * Sends one sample of a track that was added; false when it was dropped, since the connection recovers. Late samples
   * are worth nothing: none is kept.
   * @throws ActrError `not_found` for a track that was not added, or whose connection is gone; `invalid_argument` for
   * data that the stack does not take; `not_implemented` for this node itself, `connection_not_ready` without standing.
   */
  send(target: Destination, trackId: string, sample: MediaSample): boolean;
  /** Removes a track, so that the peer takes no more of it. Idempotent. @throws ActrError `not_implemented` for this node itself; `timed_out`, `unavailable`; the signal's reason. */
  removeTrack(target: Destination, trackId: string, options?: TrackOptions): Promise<void>;
}
