import { ActrError } from "../../src/errors.ts";
import type { MediaSample } from "../../src/media.ts";
import type { RemoteTrack } from "../../src/ports/media.ts";
import type { PeerConnectionHandler } from "../../src/ports/peer_connections.ts";
import { type MediaSection, mediaSections } from "./media_sections.ts";
import type { RawReceiver } from "./raw_connection.ts";

/** What a stack says of a sample; which track it is of follows from the section that it came by. */
export interface RawSample extends Pick<MediaSample, "data" | "timestamp" | "format"> {
  /** The RTP payload type, where the stack shows it. */
  readonly payloadType?: number;
}

/** Who else {@link RemoteTracks} need. */
export interface RemoteTracksParts {
  readonly handler: PeerConnectionHandler;
  /** What plays them, where the stack does. */
  readonly live: () => RawReceiver | undefined;
}

/** The tracks that the peer sends, as its last description has them. */
export class RemoteTracks {
  readonly #parts: RemoteTracksParts;
  readonly #maxTracks: number;
  #sections = new Map<string, MediaSection>();

  constructor(parts: RemoteTracksParts, maxTracks: number) {
    this.#parts = parts;
    this.#maxTracks = maxTracks;
  }

  /** @throws ActrError `overloaded` when a description has more sections of the peer than it may. */
  check(sdp: string, isOwn: (mid: string) => boolean): void {
    const count = mediaSections(sdp).filter(({ mid }) => !isOwn(mid)).length;
    if (count <= this.#maxTracks) return;
    const message = `the peer offers ${count} media tracks, the limit is ${this.#maxTracks}; use the places of removed ones again`;
    throw new ActrError("overloaded", message);
  }

  /** The peer's description has been taken: tells what came and went. */
  described(sdp: string): void {
    const before = this.#sections;
    this.#sections = new Map(mediaSections(sdp).map((section) => [section.mid, section]));
    for (const [mid, { track }] of before) {
      if (track !== undefined && this.#idAt(mid) !== track.id) this.#ended(mid, track);
    }
    for (const [mid, { track }] of this.#sections) {
      if (track !== undefined && before.get(mid)?.track?.id !== track.id) this.#began(mid, track);
    }
  }

  /** One sample has come in the section `mid`; one of no track is dropped. */
  received(mid: string, { payloadType, data, timestamp, format }: RawSample): void {
    const section = this.#sections.get(mid);
    if (section?.track === undefined) return;
    const { id, kind, codec: preferred } = section.track;
    const codec = section.codecs.get(payloadType ?? -1) ?? preferred;
    const laidOut = format === undefined ? {} : { format };
    this.#parts.handler.sample?.(id, { data, timestamp, codec, kind, ...laidOut });
  }

  /** The connection has ended. */
  end(): void {
    this.described("");
  }

  #began(mid: string, track: RemoteTrack): void {
    const live = this.#parts.live()?.begin(mid);
    this.#parts.handler.track?.(live === undefined ? track : { ...track, live });
  }

  #ended(mid: string, { id }: RemoteTrack): void {
    this.#parts.live()?.end(mid);
    this.#parts.handler.trackEnded?.(id);
  }

  #idAt(mid: string): string | undefined {
    return this.#sections.get(mid)?.track?.id;
  }
}
