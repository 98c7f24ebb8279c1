import type { MediaSample } from "@roost/edge";

const sampleRate = 48_000;
/** Twenty milliseconds of sound. */
const frame = sampleRate / 50;
const [width, height] = [320, 240];
/** RTP ticks between two of 25 pictures a second. */
const pictureTicks = 90_000 / 25;

/** Sample number `at` of a tone of 440 Hz, one for each 20 ms. */
export function tone(at: number): MediaSample {
  const sound = Int16Array.from({ length: frame }, (_, index) => {
    const seconds = (at * frame + index) / sampleRate;
    return 8_000 * Math.sin(2 * Math.PI * 440 * seconds);
  });
  return {
    data: new Uint8Array(sound.buffer),
    timestamp: (at * frame) >>> 0,
    codec: "opus",
    kind: "audio",
    format: { layout: "pcm16", sampleRate, channels: 1 },
  };
}

/** Picture number `at` of a bar that wanders over grey, one for each 40 ms. */
export function testPicture(at: number): MediaSample {
  const data = new Uint8Array((width * height * 3) / 2).fill(128);
  const left = (at * 4) % (width - 32);
  for (let row = 0; row < height; row++) {
    data.fill(235, row * width + left, row * width + left + 32);
  }
  return {
    data,
    timestamp: (at * pictureTicks) >>> 0,
    codec: "VP8",
    kind: "video",
    format: { layout: "i420", width, height },
  };
}
