import type { Clock } from "../../src/ports/clock.ts";
import type { RawSample } from "../webrtc/remote_tracks.ts";
import type { Sink, Wrtc } from "./library.ts";
import { soundBytes } from "./raw_samples.ts";

/** Ticks of an RTP clock in a second. */
const soundTicks = 48_000;
const pictureTicks = 90_000;

/** What {@link MediaReceiver} works with. */
export interface MediaReceiverParts {
  readonly wrtc: Wrtc;
  readonly clock: Clock;
  /** Takes each sample, with the section that it came by. */
  readonly received: (mid: string, sample: RawSample) => void;
}

/** Reads the peer's tracks: the library decodes them, and hides the RTP timestamps, which are counted anew. */
export class MediaReceiver {
  readonly #parts: MediaReceiverParts;
  readonly #sinks = new Map<string, Sink>();
  #ended = false;

  constructor(parts: MediaReceiverParts) {
    this.#parts = parts;
  }

  /** The library has a track for the section `mid`, in place of any before. */
  read(mid: string, track: MediaStreamTrack): void {
    // The library may tell of a track when its connection has just been closed.
    if (this.#ended) return;
    this.#sinks.get(mid)?.stop();
    this.#sinks.set(mid, track.kind === "audio" ? this.#hear(mid, track) : this.#see(mid, track));
  }

  /** Stops all sinks: one that is left would keep the process up. */
  end(): void {
    this.#ended = true;
    for (const sink of this.#sinks.values()) sink.stop();
    this.#sinks.clear();
  }

  #hear(mid: string, track: MediaStreamTrack): Sink {
    const { wrtc, received } = this.#parts;
    const sink = new wrtc.nonstandard.RTCAudioSink(track);
    let timestamp = 0;
    sink.ondata = (frame) => {
      const { sampleRate, channelCount: channels, numberOfFrames } = frame;
      const format = { layout: "pcm16", sampleRate, channels } as const;
      received(mid, { data: soundBytes(frame), timestamp, format });
      timestamp = (timestamp + (numberOfFrames * soundTicks) / sampleRate) >>> 0;
    };
    return sink;
  }

  #see(mid: string, track: MediaStreamTrack): Sink {
    const { wrtc, clock, received } = this.#parts;
    const sink = new wrtc.nonstandard.RTCVideoSink(track);
    const begunAt = clock.monotonic();
    sink.onframe = ({ frame: { width, height, data } }) => {
      const timestamp = Math.round(((clock.monotonic() - begunAt) * pictureTicks) / 1_000) >>> 0;
      received(mid, { data, timestamp, format: { layout: "i420", width, height } });
    };
    return sink;
  }
}
