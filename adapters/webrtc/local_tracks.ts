import { ActrError } from "../../src/errors.ts";
import type { LiveTrack, MediaCodec, MediaSample, MediaTrack } from "../../src/media.ts";
import type { LocalTrack, MediaCapabilities } from "../../src/ports/media.ts";

/** A place for a track in the descriptions of a connection; it stays there for good, and serves one track after the other. */
export interface RawTrack {
  /** The name of its section; undefined before it was offered. */
  readonly mid: string | undefined;
  /** Sends the samples of `track`, or its source, from the next offer on; another source at once. */
  start(track: MediaTrack): void;
  /** Sends one sample; false when it cannot leave. @throws ActrError `invalid_argument`. */
  send(sample: MediaSample): boolean;
  /** Sends nothing more, from the next offer on. */
  stop(): void;
}

/** Who else {@link LocalTracks} need. */
export interface LocalTracksParts {
  readonly media: MediaCapabilities;
  /** Makes room for tracks of a codec. */
  readonly open: (codec: MediaCodec) => RawTrack;
}

interface Place {
  readonly codec: MediaCodec;
  readonly raw: RawTrack;
  /** The track that it serves now. */
  id: string | undefined;
}

/** The stream that a track belongs to, as Actr peers name it (`spec/transport.md` §9). */
export function streamName(codec: MediaCodec): "actr-audio" | "actr-video" {
  return codec === "opus" ? "actr-audio" : "actr-video";
}

/** What a codec is for. */
export function kindOf(codec: MediaCodec): MediaSample["kind"] {
  return codec === "opus" ? "audio" : "video";
}

/** The tracks that one side of a connection sends. */
export class LocalTracks {
  readonly #parts: LocalTracksParts;
  readonly #maxTracks: number;
  readonly #places: Place[] = [];

  constructor(parts: LocalTracksParts, maxTracks: number) {
    this.#parts = parts;
    this.#maxTracks = maxTracks;
  }

  /** Whether a section of a description is one of this side's. */
  owns(mid: string): boolean {
    return this.#places.some(({ raw }) => raw.mid === mid);
  }

  /** @throws as `PeerConnection.addTrack`. */
  add(track: MediaTrack): LocalTrack {
    const { id, codec } = track;
    this.#check(id, codec);
    this.#checkSource(track);
    const place = this.#placeFor(codec);
    place.raw.start(track);
    place.id = id;
    return {
      id,
      codec,
      send: (sample) => this.#holding(place, id).send(sample),
      replace: (source) => {
        this.#checkSource({ id, codec, source });
        this.#holding(place, id).start({ id, codec, source });
      },
    };
  }

  /** Stops a track; its place serves the next one of its codec. */
  remove(id: string): void {
    const place = this.#places.find((each) => each.id === id);
    if (place === undefined) return;
    place.id = undefined;
    place.raw.stop();
  }

  /** The connection has ended. */
  end(): void {
    for (const { id } of this.#places) if (id !== undefined) this.remove(id);
  }

  #check(id: string, codec: MediaCodec): void {
    const { codecs } = this.#parts.media;
    if (!codecs.includes(codec)) {
      throw new ActrError("not_implemented", `this WebRTC stack sends ${codecs}, not ${codec}`);
    }
    if (!/^[!-~]{1,256}$/.test(id)) {
      const message = `"${id}" names no track; use 1 to 256 visible ASCII characters`;
      throw new ActrError("invalid_argument", message);
    }
    if (this.#places.some((place) => place.id === id)) {
      throw new ActrError("invalid_argument", `there is a track ${id} already; remove it first`);
    }
  }

  #checkSource({ id, codec, source }: MediaTrack): void {
    const live = this.#parts.media.form === "live";
    if (live ? fits(source, codec) : source === undefined) return;
    const message = live
      ? `${codec} is made of a source of ${kindOf(codec)} that has not ended; give the track ${id} one`
      : `this WebRTC stack sends samples; add the track ${id} without a source`;
    throw new ActrError("invalid_argument", message);
  }

  #placeFor(codec: MediaCodec): Place {
    const free = this.#places.find((place) => place.id === undefined && place.codec === codec);
    if (free !== undefined) return free;
    if (this.#places.length >= this.#maxTracks) {
      const message = `${this.#maxTracks} media tracks are all that a connection sends; remove one of the same codec`;
      throw new ActrError("overloaded", message);
    }
    const place = { codec, raw: this.#parts.open(codec), id: undefined };
    this.#places.push(place);
    return place;
  }

  #holding(place: Place, id: string): RawTrack {
    if (place.id === id) return place.raw;
    throw new ActrError("unavailable", `the track ${id} was removed; add it again`);
  }
}

function fits(source: LiveTrack | undefined, codec: MediaCodec): boolean {
  return source?.kind === kindOf(codec) && source.readyState === "live";
}
