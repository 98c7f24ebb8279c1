import { ActrError } from "../../src/errors.ts";
import type { MediaSample } from "../../src/media.ts";

/** Sound as the library takes and gives it: exactly ten milliseconds. */
export interface SoundFrame {
  readonly samples: Int16Array;
  readonly sampleRate: number;
  readonly bitsPerSample: number;
  readonly channelCount: number;
  readonly numberOfFrames: number;
}

/** A picture as the library takes and gives it, I420. */
export interface PictureFrame {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Frames of ten milliseconds that one sample may have, so that a sender goes at the speed of sound. */
const maxSoundFrames = 10;

/** Longest side of a picture, pixels: what VP8 can say. */
const maxSide = 16_383;

/** The sound of a sample, in the library's frames. @throws ActrError `invalid_argument` for anything but 10 to 100 ms of it. */
export function soundFrames({ data, format }: MediaSample): SoundFrame[] {
  if (format?.layout !== "pcm16") throw unfit("sound as pcm16", format?.layout);
  const { sampleRate, channels } = format;
  const perFrame = sampleRate / 100;
  const count = data.length / (perFrame * channels * 2);
  if (!Number.isInteger(perFrame) || !(count >= 1 && count <= maxSoundFrames) || count % 1 !== 0) {
    throw unfit(
      "10, 20 … 100 ms of sound",
      `${data.length} bytes at ${sampleRate} Hz with ${channels} channels`,
    );
  }
  const samples = samplesOf(data);
  const each = perFrame * channels;
  return Array.from({ length: count }, (_, at) => ({
    samples: samples.slice(at * each, (at + 1) * each),
    ...{ sampleRate, bitsPerSample: 16, channelCount: channels, numberOfFrames: perFrame },
  }));
}

/** The picture of a sample. @throws ActrError `invalid_argument` when it has other sides than it says. */
export function pictureFrame({ data, format }: MediaSample): PictureFrame {
  if (format?.layout !== "i420") throw unfit("pictures as i420", format?.layout);
  const { width, height } = format;
  const chroma = Math.ceil(width / 2) * Math.ceil(height / 2);
  const isSide = (side: number): boolean => Number.isInteger(side) && side >= 2 && side <= maxSide;
  if (!isSide(width) || !isSide(height) || data.length !== width * height + 2 * chroma) {
    throw unfit("whole i420 pictures", `${data.length} bytes for ${width} by ${height}`);
  }
  return { width, height, data };
}

/** The bytes of sound. */
export function soundBytes({ samples }: SoundFrame): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength).slice();
}

/** Samples wherever their bytes begin. */
function samplesOf(data: Uint8Array): Int16Array {
  const aligned = data.byteOffset % 2 === 0 ? data : data.slice();
  return new Int16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

function unfit(wanted: string, got: string | undefined): ActrError {
  const message = `this WebRTC stack encodes by itself and takes ${wanted}, not ${got ?? "encoded data"}`;
  return new ActrError("invalid_argument", message);
}
