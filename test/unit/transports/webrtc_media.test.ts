import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LiveTrack, MediaSample } from "../../../src/media.ts";
import type { LinkMedia } from "../../../src/ports/media.ts";
import type { Link } from "../../../src/ports/transport.ts";
import type { FakeRelay } from "./fake_signaling.ts";
import { passes, WebRtcWorld } from "./webrtc_world.ts";

const sound = { id: "voice", codec: "opus" } as const;
const picture = { id: "camera", codec: "VP8" } as const;

function mediaOf({ media }: Link): LinkMedia {
  assert.ok(media !== undefined);
  return media;
}

/** A change of tracks, whose end can be seen at once. */
function watch(change: Promise<unknown>): { ended: unknown } {
  const watched: { ended: unknown } = { ended: undefined };
  change.then(
    () => (watched.ended = "done"),
    (error: unknown) => (watched.ended = error),
  );
  return watched;
}

function live(id: string): LiveTrack {
  return { id, kind: "video", readyState: "live" } as LiveTrack & { readonly id: string };
}

function sample(timestamp: number): MediaSample {
  return { data: Uint8Array.of(1), timestamp, codec: "opus", kind: "audio" };
}

/** Two nodes with a link; the first offered it. */
async function linked() {
  const world = new WebRtcWorld();
  const nodes = await world.linked(100, 200);
  const { server, clock } = world;
  return { world, server, clock, ...nodes };
}

describe("WebRTC: media tracks", () => {
  for (const side of ["offered", "answered"] as const) {
    it(`one renegotiation adds a track and one removes it, by the side that ${side}`, async () => {
      const { server, clock, link, back, one, other } = await linked();
      const [from, to] = side === "offered" ? [link, back] : [back, link];
      const [sender, receiver] = side === "offered" ? [one, other] : [other, one];
      const heard: string[] = [];
      mediaOf(to).onSample((id, { timestamp }) => void heard.push(`${id} ${timestamp}`));
      const added = watch(mediaOf(from).addTrack(sound));
      await clock.settle();
      assert.equal(added.ended, "done");
      assert.equal(mediaOf(from).send("voice", sample(1_000)), true);
      const removed = watch(mediaOf(from).removeTrack("voice"));
      await clock.settle();
      assert.equal(removed.ended, "done");
      assert.throws(() => mediaOf(from).send("voice", sample(2_000)), { code: "not_found" });
      assert.deepEqual(heard, ["voice 1000"]);
      assert.equal(server.sent("renegotiation", sender.id).length, 2);
      assert.deepEqual(receiver.stack.last.peerTracks, []);
    });
  }

  it("a track that is there is not offered again, and one that is not is not removed", async () => {
    const { server, clock, link } = await linked();
    const first = watch(mediaOf(link).addTrack(sound));
    const again = watch(mediaOf(link).addTrack(sound));
    await clock.settle();
    assert.deepEqual([first.ended, again.ended], ["done", "done"]);
    await mediaOf(link).addTrack(sound);
    assert.equal(server.sent("renegotiation").length, 1);
    await mediaOf(link).removeTrack("nothing");
    assert.equal(server.sent("renegotiation").length, 1);
  });

  it("changes wait for the answer to the one before, and share the next offer", async () => {
    const { server, clock, link, other } = await linked();
    server.delay = ({ kind }: FakeRelay) => (kind === "answer" ? 100 : 0);
    const changes = [watch(mediaOf(link).addTrack(sound))];
    await clock.settle();
    changes.push(watch(mediaOf(link).addTrack(picture)));
    changes.push(watch(mediaOf(link).removeTrack("voice")));
    await clock.settle();
    assert.equal(server.sent("renegotiation").length, 1);
    await clock.advance(100);
    assert.deepEqual(
      changes.map(({ ended }) => ended),
      ["done", undefined, undefined],
    );
    await clock.advance(100);
    assert.equal(server.sent("renegotiation").length, 2);
    assert.deepEqual(
      changes.map(({ ended }) => ended),
      ["done", "done", "done"],
    );
    assert.deepEqual(other.stack.last.peerTracks, ["camera"]);
  });

  it("where offers cross, the offerer's counts and the answerer offers again", async () => {
    const { server, clock, world, link, back, one, other } = await linked();
    const changes = [mediaOf(link).addTrack(sound), mediaOf(back).addTrack(picture)].map(watch);
    await clock.settle();
    assert.deepEqual(
      changes.map(({ ended }) => ended),
      ["done", "done"],
    );
    assert.deepEqual(one.stack.last.peerTracks, ["camera"]);
    assert.deepEqual(other.stack.last.peerTracks, ["voice"]);
    assert.deepEqual([one.stack.last.rollbacks, other.stack.last.rollbacks], [0, 1]);
    assert.equal(server.sent("renegotiation", one.id).length, 1);
    assert.equal(server.sent("renegotiation", other.id).length, 2);
    assert.equal(await passes(world.clock, link, back), true);
  });

  it("an offer that is lost is made again after 5 s; the third is the last", async () => {
    const { server, clock, link, one } = await linked();
    let lost = 0;
    server.delay = ({ kind }: FakeRelay) =>
      kind === "renegotiation" && ++lost < 3 ? Number.POSITIVE_INFINITY : 0;
    const added = watch(mediaOf(link).addTrack(sound));
    await clock.advance(9_999);
    assert.equal(server.sent("renegotiation").length, 2);
    await clock.advance(1);
    assert.equal(added.ended, "done");
    server.delay = ({ kind }: FakeRelay) =>
      kind === "renegotiation" ? Number.POSITIVE_INFINITY : 0;
    const late = watch(mediaOf(link).addTrack(picture));
    await clock.advance(15_000);
    assert.match(String(late.ended), /has not agreed/);
    assert.equal(server.sent("renegotiation").length, 6);
    assert.deepEqual([...one.stack.last.tracks.keys()], ["voice"]);
  });

  it("the peer's tracks are taken again after an own offer was given up", async () => {
    const { server, clock, link, back } = await linked();
    server.delay = ({ kind, from }: FakeRelay) =>
      kind === "renegotiation" && from.serial === 100n ? Number.POSITIVE_INFINITY : 0;
    const lost = watch(mediaOf(link).addTrack(sound));
    await clock.settle();
    const ignored = watch(mediaOf(back).addTrack(picture));
    await clock.advance(15_000);
    assert.match(String(lost.ended), /has not agreed/);
    const again = watch(mediaOf(back).addTrack({ ...picture, id: "other" }));
    await clock.settle();
    assert.equal(again.ended, "done");
    assert.notEqual(ignored.ended, undefined);
  });

  it("waits for signaling, and for an ICE restart that takes its offer's place", async () => {
    const { server, clock, link, one, other } = await linked();
    one.signaling.connected = false;
    const added = watch(mediaOf(link).addTrack(sound));
    await clock.advance(1_000);
    assert.equal(server.sent("renegotiation").length, 0);
    server.delay = ({ kind }: FakeRelay) => (kind === "renegotiation" ? 60_000 : 0);
    one.signaling.connected = true;
    await clock.settle();
    void link.recover?.(1_000);
    await clock.settle();
    assert.equal(server.sent("restart").length, 1);
    assert.equal(added.ended, "done");
    assert.deepEqual(other.stack.last.peerTracks, ["voice"]);
  });

  it("whoever waits for the peer is told that the connection has ended", async () => {
    const { server, clock, link } = await linked();
    server.delay = () => Number.POSITIVE_INFINITY;
    const added = watch(mediaOf(link).addTrack(sound));
    await clock.settle();
    await link.close("test");
    await clock.settle();
    assert.match(String(added.ended), /has ended/);
  });

  it("loses samples while the connection is, without an error", async () => {
    const { clock, world, link } = await linked();
    await mediaOf(link)
      .addTrack(sound)
      .catch(() => {});
    world.paths.open = false;
    await clock.settle();
    assert.equal(mediaOf(link).send("voice", sample(1)), false);
  });

  it("tells when a track is gone: removed, or with its connection", async () => {
    const { clock, link } = await linked();
    const changes = [mediaOf(link).addTrack(sound), mediaOf(link).addTrack(picture)];
    await clock.settle();
    const [voice, camera] = await Promise.all(changes);
    assert.equal(await mediaOf(link).addTrack(sound), voice);
    await clock.settle();
    const gone = () => [voice?.aborted, camera?.aborted];
    assert.deepEqual(gone(), [false, false]);
    watch(mediaOf(link).removeTrack("voice"));
    assert.deepEqual(gone(), [true, false]);
    await clock.settle();
    await link.close("test");
    await clock.settle();
    assert.deepEqual(gone(), [true, true]);
    assert.equal(mediaOf(link).has("camera"), false);
  });

  it("another source takes the place of a track's own without an offer", async () => {
    const { server, clock, link, one } = await linked();
    const [camera, screen] = [live("camera"), live("screen")];
    watch(mediaOf(link).addTrack({ ...picture, source: camera }));
    await clock.settle();
    assert.equal(one.stack.last.sources.get("camera"), camera);
    const again = watch(mediaOf(link).addTrack({ ...picture, source: screen }));
    await clock.settle();
    assert.equal(again.ended, "done");
    assert.equal(one.stack.last.sources.get("camera"), screen);
    assert.equal(server.sent("renegotiation").length, 1);
  });

  it("tells of the peer's live tracks, early and late, and of their end", async () => {
    const { clock, link, back, other } = await linked();
    const [camera, screen] = [live("camera"), live("screen")];
    const seen: [string, LiveTrack, AbortSignal][] = [];
    watch(mediaOf(link).addTrack({ ...picture, source: camera }));
    await clock.settle();
    mediaOf(back).onLive((...track) => void seen.push(track));
    watch(mediaOf(link).addTrack({ ...picture, id: "screen", source: screen }));
    await clock.settle();
    const shown = seen.map(([id, track]) => [id, track]);
    assert.deepEqual(shown, [
      ["camera", camera],
      ["screen", screen],
    ]);
    const ended = () => seen.map(([, , signal]) => signal.aborted);
    watch(mediaOf(link).removeTrack("camera"));
    await clock.settle();
    assert.deepEqual(ended(), [true, false]);
    // A peer may give two tracks one name.
    other.stack.last.tell({ id: "screen", kind: "video", codec: "VP8", live: camera });
    assert.deepEqual(ended(), [true, true, false]);
    await link.close("test");
    await clock.settle();
    assert.deepEqual(ended(), [true, true, true]);
  });

  it("a stack without media gives links without", async () => {
    const world = new WebRtcWorld();
    const [one, other] = [await world.node(100), await world.node(200)];
    for (const { stack } of [one, other]) Object.assign(stack.capabilities, { media: false });
    const dial = one.dial(other);
    await world.clock.settle();
    assert.equal((await dial.link).media, undefined);
  });
});
