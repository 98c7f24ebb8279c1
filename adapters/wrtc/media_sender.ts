import { ActrError } from "../../src/errors.ts";
import type { MediaCodec, MediaSample, MediaTrack } from "../../src/media.ts";
import { type RawTrack, streamName } from "../webrtc/local_tracks.ts";
import type { Wrtc, WrtcConnection, WrtcTransceiver } from "./library.ts";
import { pictureFrame, soundFrames } from "./raw_samples.ts";

/** Where samples go in, and the track that they come out of. */
interface Source {
  readonly native: MediaStreamTrack;
  put(sample: MediaSample): void;
}

/** A place for a track over the library's transceiver: its section never changes, what it sends does. */
export class MediaSender implements RawTrack {
  /** The name that the library gave the first track; it writes that one for all later ones too. */
  readonly writtenId: string;
  /** What the peer is to read in its place. */
  id = "";
  readonly #wrtc: Wrtc;
  readonly #codec: MediaCodec;
  readonly #transceiver: WrtcTransceiver;
  #source: Source;

  /** @throws ActrError `internal` when the library refuses. */
  constructor(wrtc: Wrtc, native: WrtcConnection, codec: MediaCodec) {
    this.#wrtc = wrtc;
    this.#codec = codec;
    this.#source = openSource(wrtc, codec);
    this.writtenId = this.#source.native.id;
    const streams = [new wrtc.MediaStream({ id: streamName(codec) })];
    this.#transceiver = native.addTransceiver(this.#source.native, {
      direction: "sendonly",
      streams,
    });
    this.#transceiver.setCodecPreferences(offered(wrtc, codec));
  }

  get mid(): string | undefined {
    return this.#transceiver.mid ?? undefined;
  }

  start({ id }: MediaTrack): void {
    this.id = id;
    if (this.#source.native.readyState === "live") return;
    this.#source = openSource(this.#wrtc, this.#codec);
    this.#replace(this.#source.native);
    this.#transceiver.direction = "sendonly";
  }

  send(sample: MediaSample): boolean {
    this.#source.put(sample);
    return this.#transceiver.currentDirection === "sendonly";
  }

  stop(): void {
    this.#source.native.stop();
    this.#transceiver.direction = "inactive";
    this.#replace(null);
  }

  /** What the library has queued is done in order, and a connection that closes meanwhile needs it no more. */
  #replace(track: MediaStreamTrack | null): void {
    this.#transceiver.sender.replaceTrack(track).catch(() => {});
  }
}

function openSource({ nonstandard }: Wrtc, codec: MediaCodec): Source {
  if (codec === "opus") {
    const source = new nonstandard.RTCAudioSource();
    const put = (sample: MediaSample): void => {
      for (const frame of soundFrames(sample)) source.onData(frame);
    };
    return { native: source.createTrack(), put };
  }
  const source = new nonstandard.RTCVideoSource();
  return { native: source.createTrack(), put: (sample) => source.onFrame(pictureFrame(sample)) };
}

/** The codec alone, so that descriptions are short and name what is sent. */
function offered({ RTCRtpSender }: Wrtc, codec: MediaCodec): RTCRtpCodec[] {
  const kind = codec === "opus" ? "audio" : "video";
  const codecs = RTCRtpSender.getCapabilities(kind)?.codecs ?? [];
  const named = codecs.filter(({ mimeType }) => mimeType === `${kind}/${codec}`);
  if (named.length > 0) return named;
  throw new ActrError("not_implemented", `this build of @roamhq/wrtc has no ${codec}`);
}
