import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MediaSample } from "../../../src/media.ts";
import { MediaTracks } from "../../../src/streams/media_tracks.ts";
import { RecordingLogger } from "../identity/support.ts";
import { peerId } from "../session/support.ts";
import { turns } from "./support.ts";

const sender = peerId(7);

function sample(timestamp: number): MediaSample {
  return { data: Uint8Array.of(1), timestamp, codec: "VP8", kind: "video" };
}

function rig(
  maxQueued = 64,
  maxStreams = 2,
): { readonly tracks: MediaTracks; readonly log: RecordingLogger } {
  const log = new RecordingLogger();
  return { log, tracks: new MediaTracks({ log }, { maxStreams, maxQueued }) };
}

describe("media tracks", () => {
  it("[N-165] registers, lists, dispatches and unregisters; an unknown track is no failure", () => {
    const { tracks } = rig();
    const heard: string[] = [];
    tracks.register("a", ({ timestamp }, { serial }) => void heard.push(`${timestamp} ${serial}`));
    tracks.register("b", () => {});
    assert.deepEqual(tracks.tracks, ["a", "b"]);
    tracks.dispatch("a", sample(1), sender);
    tracks.dispatch("nothing", sample(2), sender);
    tracks.unregister("a");
    tracks.unregister("a");
    tracks.dispatch("a", sample(3), sender);
    assert.deepEqual(heard, ["1 7"]);
    assert.deepEqual(tracks.tracks, ["b"]);
    assert.equal(tracks.dropped, 2);
  });

  it("[ND-47] handles the samples of a track in order, goes on after a failure, and drops what is too late", async () => {
    const { tracks, log } = rig(2);
    const heard: number[] = [];
    let release: () => void = () => {};
    tracks.register("a", async ({ timestamp }) => {
      if (timestamp === 1) await new Promise<void>((resolve) => (release = resolve));
      heard.push(timestamp);
      if (timestamp === 2) throw new Error("broken");
    });
    for (const timestamp of [1, 2, 3, 4]) tracks.dispatch("a", sample(timestamp), sender);
    assert.deepEqual(heard, []);
    release();
    await turns();
    await turns();
    assert.deepEqual(heard, [1, 2, 3]);
    assert.equal(tracks.failed, 1);
    assert.equal(tracks.dropped, 1);
    assert.deepEqual(log.levels("media.handler_failed"), ["warn"]);
  });

  it("[T-90] takes sound and pictures to their tracks with their sender, eight tracks at once, twenty samples of one", () => {
    const { tracks } = rig(64, 8);
    const heard = new Map<string, string[]>();
    const names = Array.from({ length: 8 }, (_, at) => `track ${at}`);
    for (const name of names) {
      tracks.register(name, ({ data, timestamp, kind }, { serial }) => {
        const what = `${kind} ${data.length} ${timestamp} ${serial}`;
        heard.set(name, [...(heard.get(name) ?? []), what]);
      });
    }
    const sound: MediaSample = {
      data: new Uint8Array(160),
      timestamp: 1_000,
      codec: "opus",
      kind: "audio",
    };
    for (const name of names) tracks.dispatch(name, sound, sender);
    for (const name of names) assert.deepEqual(heard.get(name), ["audio 160 1000 7"]);
    tracks.dispatch("track 1", sample(2_000), sender);
    assert.equal(heard.get("track 1")?.at(-1), "video 1 2000 7");
    tracks.unregister("track 1");
    tracks.dispatch("track 1", sample(3_000), sender);
    assert.equal(heard.get("track 1")?.length, 2);
    heard.clear();
    for (let at = 0; at < 20; at++) tracks.dispatch("track 0", sample(at), sender);
    const expected = Array.from({ length: 20 }, (_, at) => `video 1 ${at} 7`);
    assert.deepEqual(heard.get("track 0"), expected);
  });

  it("takes no more tracks than allowed, and none once closed", () => {
    const { tracks } = rig();
    tracks.register("a", () => {});
    tracks.register("b", () => {});
    assert.throws(() => tracks.register("c", () => {}), {
      code: "overloaded",
      message: /unregister some/,
    });
    tracks.close();
    tracks.register("a", () => {});
    assert.deepEqual(tracks.tracks, []);
  });
});
