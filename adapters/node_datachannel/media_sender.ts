import type { Audio, PeerConnection, Track, Video } from "node-datachannel";
import { ActrError } from "../../src/errors.ts";
import type { MediaCodec, MediaSample, MediaTrack } from "../../src/media.ts";
import { type RawTrack, streamName } from "../webrtc/local_tracks.ts";
import { writeRtp } from "./rtp.ts";

/** The library, as far as media need it. */
export type MediaLibrary = Pick<typeof import("node-datachannel"), "Audio" | "Video">;

/** Payload types and parameters that Actr peers register (`spec/transport.md` §9). */
const registered: Readonly<
  Record<MediaCodec, { readonly type: number; readonly profile?: string }>
> = {
  opus: { type: 111, profile: "minptime=10;useinbandfec=1" },
  VP8: { type: 96 },
  H264: {
    type: 102,
    profile: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
  },
};

/** Largest payload that every path carries in one packet, bytes. */
export const maxSampleBytes = 1_200;

/** What a {@link MediaSender} is made of. */
export interface MediaSenderParts {
  readonly library: MediaLibrary;
  readonly native: PeerConnection;
  readonly codec: MediaCodec;
  /** The name of its section, unique in the connection. */
  readonly mid: string;
}

/** A place for a track: one RTP packet for each sample, numbered from 0 (`spec/transport.md` §9). */
export class MediaSender implements RawTrack {
  readonly mid: string;
  readonly #parts: MediaSenderParts;
  /** The synchronisation source, 32 bits. */
  readonly #source: number;
  #native: Track | undefined;
  /** Every object of the section: the library closes it with any of them that is collected. */
  readonly #held: Track[] = [];
  #sequence = 0;

  constructor(parts: MediaSenderParts) {
    this.#parts = parts;
    this.mid = parts.mid;
    this.#source = hash(parts.mid);
  }

  start(track: MediaTrack): void {
    this.#sequence = 0;
    this.#native = this.#describe("SendOnly", track.id);
  }

  send({ data, timestamp, format }: MediaSample): boolean {
    if (format !== undefined || data.length === 0 || data.length > maxSampleBytes) {
      throw unfit(format === undefined ? `${data.length} bytes` : `raw ${format.layout}`);
    }
    if (this.#native?.isOpen() !== true) return false;
    const payloadType = registered[this.#parts.codec].type;
    const [sequence, source] = [this.#sequence, this.#source];
    const header = { payloadType, sequence, timestamp: timestamp >>> 0, source };
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return this.#native.sendMessageBinary(writeRtp(header, data));
  }

  stop(): void {
    this.#native = undefined;
    this.#describe("Inactive", undefined);
  }

  /** Given the name of a section that is there, the library changes it. */
  #describe(direction: "SendOnly" | "Inactive", id: string | undefined): Track {
    const { native, codec } = this.#parts;
    const section = this.#section(direction);
    if (id !== undefined) section.addSSRC(this.#source, "roost", streamName(codec), id);
    const track = native.addTrack(section);
    this.#held.push(track);
    return track;
  }

  #section(direction: "SendOnly" | "Inactive"): Audio | Video {
    const { library, codec, mid } = this.#parts;
    const { type, profile } = registered[codec];
    if (codec === "opus") {
      const audio = new library.Audio(mid, direction);
      audio.addOpusCodec(type, profile);
      return audio;
    }
    const video = new library.Video(mid, direction);
    if (codec === "VP8") video.addVP8Codec(type);
    else video.addH264Codec(type, profile);
    return video;
  }
}

/** A number of its own for each name, 32 bits (FNV-1a). */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (const character of name) {
    value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  }
  return value >>> 0;
}

function unfit(got: string): ActrError {
  const message = `a sample is the encoded payload of one packet, 1 to ${maxSampleBytes} bytes, not ${got}; divide it as its codec's RTP format says`;
  return new ActrError("invalid_argument", message);
}
