import type { LiveTrack, MediaCodec, MediaSample, MediaTrack } from "../media.ts";

/**
 * What goes in and out: `rtp`, samples that are the payload of one RTP packet each, encoded; `raw`, samples that the stack
 * encodes and decodes by itself (16-bit sound, I420 pictures); `live`, no samples, but tracks that the runtime itself
 * records and plays.
 */
export type MediaForm = "rtp" | "raw" | "live";

/** What a stack can do with audio and video. */
export interface MediaCapabilities {
  readonly form: MediaForm;
  /** Codecs that it sends; it may receive others. */
  readonly codecs: readonly MediaCodec[];
  /** Largest encoded sample, bytes; absent where the stack encodes. */
  readonly maxSampleBytes?: number;
}

/** A track of this side, part of a connection. */
export interface LocalTrack extends MediaTrack {
  /**
   * Sends one sample; before the peer has answered an offer with the track it is lost, and false is returned.
   * @throws ActrError `invalid_argument` for data that the stack does not take, `unavailable` when the track was removed.
   */
  send(sample: MediaSample): boolean;
  /** Sends another source from now on. @throws ActrError as `PeerConnection.addTrack` of sources, `unavailable`. */
  replace(source: LiveTrack): void;
}

/** A track that the peer has offered to send. */
export interface RemoteTrack {
  /** As the peer named it. */
  readonly id: string;
  readonly kind: MediaSample["kind"];
  /** As descriptions write it, such as `VP8` or `opus`. */
  readonly codec: string;
  /** What plays it, until it has ended; where the form is `live`. */
  readonly live?: LiveTrack;
}

/** Tracks of one link: those of this side, and what the other side's bring. */
export interface LinkMedia {
  /** As `Media.addTrack`. @throws as that of what a connection can do, `timed_out`, `unavailable`. */
  addTrack(track: MediaTrack): Promise<AbortSignal>;
  /** Resolves when the peer knows; does nothing for a track that is not there. @throws ActrError `timed_out`, `unavailable`. */
  removeTrack(id: string): Promise<void>;
  /** Whether a track of this name was added. */
  has(id: string): boolean;
  /** Sends one sample; false when it is lost, as while the link recovers. @throws ActrError `not_found`, `invalid_argument`. */
  send(id: string, sample: MediaSample): boolean;
  /** Where samples of the peer's tracks go; before, they are dropped. */
  onSample(tell: (trackId: string, sample: MediaSample) => void): void;
  /** Where the peer's live tracks go, those that are there first, each with a signal that is aborted at its end. */
  onLive(tell: (trackId: string, track: LiveTrack, ended: AbortSignal) => void): void;
}
