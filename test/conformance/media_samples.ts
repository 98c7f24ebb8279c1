import type { MediaCodec, MediaSample } from "../../src/media.ts";
import type { LocalTrack, MediaForm } from "../../src/ports/media.ts";
import type { End } from "./connection_pair.ts";

/** Makes the samples of one track, as fast as they are to be played. */
export interface SampleSource {
  readonly everyMs: number;
  /** The sample number `at`, from 0. */
  make(at: number): MediaSample;
}

const soundRate = 48_000;
const soundFrame = soundRate / 50;
const pictureTicks = 90_000 / 25;

/** A tone of `hertz`, 20 ms at a time. */
export function tone(hertz: number): SampleSource {
  return {
    everyMs: 20,
    make: (at) => {
      const samples = Int16Array.from({ length: soundFrame }, (_, index) => {
        const seconds = (at * soundFrame + index) / soundRate;
        return 8_000 * Math.sin(2 * Math.PI * hertz * seconds);
      });
      const timestamp = (at * soundFrame) >>> 0;
      const format = { layout: "pcm16", sampleRate: soundRate, channels: 1 } as const;
      return {
        data: new Uint8Array(samples.buffer),
        timestamp,
        codec: "opus",
        kind: "audio",
        format,
      };
    },
  };
}

/** Grey pictures of 64 by 48, each a little brighter than the one before. */
export function pictures(): SampleSource {
  const [width, height] = [64, 48];
  return {
    everyMs: 40,
    make: (at) => {
      const data = new Uint8Array((width * height * 3) / 2).fill(128);
      data.fill(64 + (at % 64), 0, width * height);
      const format = { layout: "i420", width, height } as const;
      return { data, timestamp: (at * pictureTicks) >>> 0, codec: "VP8", kind: "video", format };
    },
  };
}

/** Payloads of one packet; nobody on the way looks inside. */
export function packets(codec: MediaCodec): SampleSource {
  const isSound = codec === "opus";
  return {
    everyMs: isSound ? 20 : 40,
    make: (at) => ({
      data: Uint8Array.from({ length: 160 }, (_, index) => (index + at) % 256),
      timestamp: (1_000 + at * (isSound ? soundFrame : pictureTicks)) >>> 0,
      codec,
      kind: isSound ? "audio" : "video",
    }),
  };
}

/** What a stack takes for a codec; one that takes no samples, what its tracks play. */
export function sourceFor(form: MediaForm, codec: MediaCodec): SampleSource {
  if (form === "rtp") return packets(codec);
  return codec === "opus" ? tone(440) : pictures();
}

/** How often a sample of sound crosses zero upwards per second: the pitch of a tone. */
export function pitch(samples: readonly MediaSample[]): number {
  let [crossings, count, rate, before] = [0, 0, soundRate, 0];
  for (const { data, format } of samples) {
    if (format?.layout !== "pcm16") continue;
    rate = format.sampleRate;
    const values = new Int16Array(data.slice().buffer);
    for (let at = 0; at < values.length; at += format.channels) {
      const value = values[at] ?? 0;
      if (before < 0 && value >= 0) crossings++;
      before = value;
      count++;
    }
  }
  return (crossings * rate) / count;
}

/** Sends at the pace of the source until `enough`. */
export async function arrives(
  to: End,
  id: string,
  local: LocalTrack,
  source: SampleSource,
  enough: () => boolean = () => to.samplesOf(id).length >= 3,
): Promise<void> {
  let at = 0;
  const feed = setInterval(() => local.send(source.make(at++)), source.everyMs);
  try {
    await to.until(enough);
  } finally {
    clearInterval(feed);
  }
}
