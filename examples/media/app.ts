import { defineNode, type MediaSample } from "@roost/edge";
import { tracks, type } from "./tracks.ts";

/** What has come of one track. */
export interface Statistics {
  samples: number;
  bytes: number;
  /** How loud the last sound was, or how bright the last picture, 0 to 255. */
  level: number;
  /** Such as `opus, 48000 Hz` or `VP8, 320x240`. */
  format: string;
}

export const received = new Map<string, Statistics>();

function count(track: string, sample: MediaSample): void {
  const before = received.get(track) ?? { samples: 0, bytes: 0 };
  received.set(track, {
    samples: before.samples + 1,
    bytes: before.bytes + sample.data.length,
    level: levelOf(sample),
    format: formatOf(sample),
  });
}

function levelOf({ data, format }: MediaSample): number {
  if (format?.layout === "pcm16") {
    const values = new Int16Array(data.slice().buffer);
    return Math.round(values.reduce((loudest, one) => Math.max(loudest, Math.abs(one)), 0) / 128);
  }
  if (format?.layout !== "i420") return 0;
  const brightness = data.subarray(0, format.width * format.height);
  return Math.round(brightness.reduce((sum, one) => sum + one, 0) / brightness.length);
}

function formatOf({ codec, format }: MediaSample): string {
  if (format?.layout === "pcm16") return `${codec}, ${format.sampleRate} Hz`;
  if (format?.layout === "i420") return `${codec}, ${format.width}x${format.height}`;
  return `${codec}, encoded`;
}

export const app = defineNode({
  type,
  hooks: {
    onStart({ media }) {
      for (const { id } of tracks) media.register(id, (sample) => count(id, sample));
    },
  },
});
