// Deno has no WebRTC, and so no types of it.
/// <reference lib="dom" />
import { ActrError } from "../../src/errors.ts";
import type { MediaCodec, MediaTrack } from "../../src/media.ts";
import { kindOf, type RawTrack } from "../webrtc/local_tracks.ts";

/** A place for a track over the browser's transceiver: its section never changes, what it sends does. */
export class LiveSender implements RawTrack {
  readonly codec: MediaCodec;
  /** What peers are to read; the browser writes names of its own. */
  id = "";
  readonly #transceiver: RTCRtpTransceiver;

  constructor(native: RTCPeerConnection, codec: MediaCodec) {
    this.codec = codec;
    this.#transceiver = native.addTransceiver(kindOf(codec), { direction: "sendonly" });
    this.#transceiver.setCodecPreferences(variants(codec));
  }

  get mid(): string | undefined {
    return this.#transceiver.mid ?? undefined;
  }

  start({ id, source }: MediaTrack): void {
    this.id = id;
    this.#transceiver.direction = "sendonly";
    this.#replace(source ?? null);
  }

  send(): never {
    const message = "a page sends no samples; what a track sends is its source";
    throw new ActrError("invalid_argument", message);
  }

  stop(): void {
    this.#transceiver.direction = "inactive";
    this.#replace(null);
  }

  /** What the browser has queued is done in order, and a connection that closes meanwhile needs it no more. */
  #replace(track: MediaStreamTrack | null): void {
    this.#transceiver.sender.replaceTrack(track).catch(() => {});
  }
}

/** Those of `codecs` that this browser sends; none where a page cannot choose, as in Firefox before 128. */
export function sendable(codecs: readonly MediaCodec[]): MediaCodec[] {
  if (!("setCodecPreferences" in RTCRtpTransceiver.prototype)) return [];
  return codecs.filter((codec) => variants(codec).length > 0);
}

/** The codec alone, so that descriptions are short and name what is sent. */
function variants(codec: MediaCodec): RTCRtpCodec[] {
  const kind = kindOf(codec);
  const codecs = RTCRtpSender.getCapabilities(kind)?.codecs ?? [];
  return codecs.filter(({ mimeType }) => mimeType === `${kind}/${codec}`);
}
