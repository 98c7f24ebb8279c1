import type { ActrId } from "./protocol/ids.ts";

/** One piece of a media track (`spec/node.md` §14). */
export interface MediaSample {
  readonly data: Uint8Array;
  /** RTP timestamp, u32. */
  readonly timestamp: number;
  /** Such as `VP8` or `opus`. */
  readonly codec: string;
  readonly kind: "audio" | "video";
}

/** Handles one sample; one by one and in order for each track, as chunks of a stream are. */
export type SampleHandler = (sample: MediaSample, sender: ActrId) => void | Promise<void>;

/** Media tracks that a node receives. */
export interface Media {
  /** Handles samples of a track, in place of who did so before. @throws ActrError `overloaded` when too many tracks are registered. */
  register(trackId: string, handler: SampleHandler): void;
  /** Takes no more samples of a track. Idempotent. */
  unregister(trackId: string): void;
  /** Ids of the tracks that are registered. */
  readonly tracks: readonly string[];
}
