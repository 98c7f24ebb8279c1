import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LiveTrack } from "../../../src/media.ts";
import { LiveTracks } from "../../../src/streams/live_tracks.ts";
import { RecordingLogger } from "../identity/support.ts";
import { peerId } from "../session/support.ts";
import { turns } from "./support.ts";

const [near, far] = [peerId(1), peerId(2)];
const [voice, other] = ["audio", "video"].map(
  (kind) => ({ kind, readyState: "live" }) as LiveTrack,
) as [LiveTrack, LiveTrack];

/** What watchers of one rig were shown. */
interface Seen {
  readonly track: LiveTrack;
  readonly serial: bigint;
  readonly ended: AbortSignal;
}

function rig(maxStreams = 2) {
  const log = new RecordingLogger();
  const tracks = new LiveTracks({ log }, { maxStreams });
  const seen: Seen[] = [];
  const watch = (id: string): void =>
    tracks.watch(id, (track, { serial }, ended) => void seen.push({ track, serial, ended }));
  const states = (): boolean[] => seen.map(({ ended }) => ended.aborted);
  return { log, tracks, seen, watch, states };
}

describe("live tracks", () => {
  it("shows those of a name, whoever sends them, before and after somebody watches", () => {
    const { tracks, seen, watch } = rig();
    const { signal } = new AbortController();
    tracks.began("voice", voice, near, signal);
    tracks.began("camera", other, near, signal);
    watch("voice");
    tracks.began("voice", other, far, signal);
    assert.deepEqual(
      seen.map(({ track, serial }) => [track, serial]),
      [
        [voice, near.serial],
        [other, far.serial],
      ],
    );
  });

  it("tells the end of a track, and shows it to nobody who comes later", () => {
    const { tracks, seen, watch, states } = rig();
    const [first, second] = [new AbortController(), new AbortController()];
    watch("voice");
    tracks.began("voice", voice, near, first.signal);
    tracks.began("voice", other, far, second.signal);
    first.abort();
    assert.deepEqual(states(), [true, false]);
    watch("voice");
    assert.deepEqual(seen.at(-1)?.track, other);
    assert.equal(seen.length, 3);
  });

  it("ends what was shown to who watches no more, or is replaced", () => {
    const { tracks, watch, states } = rig();
    tracks.began("voice", voice, near, new AbortController().signal);
    watch("voice");
    watch("voice");
    assert.deepEqual(states(), [true, false]);
    tracks.unwatch("voice");
    tracks.unwatch("voice");
    assert.deepEqual(states(), [true, true]);
    watch("voice");
    assert.deepEqual(states(), [true, true, false]);
  });

  it("goes on after a watcher that failed, and says so", async () => {
    const { tracks, log, seen, watch } = rig();
    const { signal } = new AbortController();
    tracks.watch("voice", () => {
      throw new Error("broken");
    });
    tracks.began("voice", voice, near, signal);
    tracks.watch("camera", async () => {
      throw new Error("broken later");
    });
    tracks.began("camera", voice, near, signal);
    await turns();
    assert.deepEqual(log.levels("media.watcher_failed"), ["warn", "warn"]);
    watch("voice");
    assert.equal(seen.length, 1);
  });

  it("watches no more names than allowed, and none once closed", () => {
    const { tracks, seen, watch, states } = rig();
    const { signal } = new AbortController();
    watch("a");
    watch("b");
    watch("a");
    assert.throws(() => watch("c"), { code: "overloaded", message: /unwatch some/ });
    tracks.began("a", voice, near, signal);
    tracks.close();
    assert.deepEqual(states(), [true]);
    tracks.began("a", voice, near, signal);
    watch("a");
    assert.equal(seen.length, 1);
  });
});
