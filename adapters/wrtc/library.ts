// Deno has no WebRTC, and so no types of it.
/// <reference lib="dom" />
import type { PictureFrame, SoundFrame } from "./raw_samples.ts";

/** A sink of the library: it decodes until it is stopped, and keeps the process up as long. */
export interface Sink {
  stop(): void;
}

/** What the library has beyond the standard. */
interface Nonstandard {
  readonly RTCAudioSource: new () => {
    createTrack(): MediaStreamTrack;
    onData(frame: SoundFrame): void;
  };
  readonly RTCVideoSource: new () => {
    createTrack(): MediaStreamTrack;
    onFrame(frame: PictureFrame): void;
  };
  readonly RTCAudioSink: new (
    track: MediaStreamTrack,
  ) => Sink & { ondata: ((frame: SoundFrame) => void) | null };
  readonly RTCVideoSink: new (
    track: MediaStreamTrack,
  ) => Sink & { onframe: ((event: { readonly frame: PictureFrame }) => void) | null };
}

/** A transceiver; codecs can be chosen, whatever the library's own types say. */
export type WrtcTransceiver = RTCRtpTransceiver;

/** A connection of the library. */
export type WrtcConnection = RTCPeerConnection;

/** `@roamhq/wrtc`, as far as it is used; its own types leave out a part. */
export interface Wrtc {
  readonly RTCPeerConnection: new (configuration: RTCConfiguration) => WrtcConnection;
  readonly RTCRtpSender: { getCapabilities(kind: "audio" | "video"): RTCRtpCapabilities | null };
  /** The library takes an id, which the standard does not. */
  readonly MediaStream: new (init: {
    readonly id: string;
  }) => MediaStream;
  readonly nonstandard: Nonstandard;
}
