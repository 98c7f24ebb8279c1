import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LiveTrack, MediaCodec, MediaSample } from "../../src/media.ts";
import type { LocalTrack, MediaCapabilities } from "../../src/ports/media.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import { type End, negotiate } from "./connection_pair.ts";
import { pitch, sourceFor, tone } from "./media_samples.ts";
import { type Instruments, MediaStage } from "./media_stage.ts";

const limit = { timeout: 60_000 };

/**
 * What every PeerConnections adapter with media must do beside {@link peerConnectionsConformance}. Where
 * `mediaNeedsExit`, the process that runs it has to end by an explicit exit.
 *
 * @param instruments what plays and hears live tracks, where these are the form of the stack's media.
 */
export function mediaConformance(
  name: string,
  open: () => Promise<PeerConnections>,
  instruments?: Instruments,
): void {
  const stage = async (): Promise<MediaStage> => new MediaStage(await open(), instruments);
  describe(`media of peer connections: ${name}`, () => {
    tracks(stage);
    sources(stage);
    refusals(stage);
  });
}

type Open = () => Promise<MediaStage>;

function tracks(open: Open): void {
  for (const codec of ["opus", "VP8", "H264"] as const) {
    it(`carries ${codec} under the sender's name of the track, where it can`, limit, async (t) => {
      const stage = await open();
      const { codecs } = stage.media;
      if (!codecs.includes(codec)) return t.skip(`this stack sends ${codecs}`);
      using pair = await stage.pair();
      await passes(stage, [pair.a, pair.b], `a-${codec}`, codec);
    });
  }

  it("carries tracks of both sides, whoever offered the connection", limit, async () => {
    const stage = await open();
    using pair = await stage.pair();
    const { a, b } = pair;
    await passes(stage, [b, a], "of-b", "opus");
    await passes(stage, [a, b], "of-a", "opus");
    assert.deepEqual([names(a), names(b)], [["of-b"], ["of-a"]]);
  });

  it("keeps data first and every section at its place, and uses places again", limit, async () => {
    const stage = await open();
    using pair = await stage.pair();
    const { a, b } = pair;
    await passes(stage, [a, b], "first", "opus");
    await passes(stage, [a, b], "picture", "VP8");
    const before = await agreed(a, b);
    a.connection.removeTrack("first");
    await negotiate(a, b);
    assert.deepEqual(b.endedTracks, ["first"]);
    await passes(stage, [a, b], "second", "opus");
    const after = await agreed(a, b);
    assert.deepEqual(sections(after), sections(before));
    assert.equal(sections(after)[0], "application");
    assert.deepEqual(names(b), ["first", "picture", "second"]);
    pair.sender.channel.send(Uint8Array.of(1));
    await pair.receiver.until(() => pair.receiver.messages.length === 1);
  });

  it("offers its track again after it gave way to an offer of the peer", limit, async () => {
    const stage = await open();
    using pair = await stage.pair();
    const { a, b } = pair;
    const [mine, theirs] = [b, a].map((end) => added(stage, end, "crossed", "opus"));
    await b.connection.createOffer();
    await negotiate(a, b);
    await negotiate(b, a);
    assert.deepEqual([names(a), names(b)], [["crossed"], ["crossed"]]);
    await stage.arrives(a, mine as LocalTrack);
    await stage.arrives(b, theirs as LocalTrack);
  });

  it("tells that tracks have ended when the connection has", limit, async () => {
    const stage = await open();
    using pair = await stage.pair();
    await passes(stage, [pair.a, pair.b], "last", "opus");
    pair.b.connection.close();
    assert.deepEqual(pair.b.endedTracks, ["last"]);
    assert.throws(() => added(stage, pair.b, "late", "opus"), { code: "unavailable" });
  });

  it("gives encoded samples on byte by byte, with their timestamps", limit, async (t) => {
    const stage = await open();
    if (stage.media.form !== "rtp") return t.skip("this stack encodes by itself");
    using pair = await stage.pair();
    const source = stage.source("opus");
    const got = await passes(stage, [pair.a, pair.b], "exact", "opus");
    const sent = new Map(
      Array.from({ length: 1_000 }, (_, at) => source.make(at)).map((each) => [
        each.timestamp,
        each,
      ]),
    );
    for (const sample of got) assert.deepEqual(sample, sent.get(sample.timestamp));
  });

  it("plays the tone that was sent", limit, async (t) => {
    const stage = await open();
    if (stage.media.form === "rtp") return t.skip("this stack does not decode");
    using pair = await stage.pair();
    const { a, b } = pair;
    const local = a.connection.addTrack(stage.track("tone", "opus", tone(1_000)));
    await negotiate(a, b);
    await stage.arrives(b, local, tone(1_000), () => sounds(b, "tone", 1_000));
  });
}

function sources(open: Open): void {
  it("takes a source of the codec's kind that plays, where it takes one", limit, async () => {
    const stage = await open();
    using pair = await stage.pair();
    const { connection } = pair.a;
    const refuses = (source: LiveTrack | undefined): void => {
      const track = { id: "one", codec: "opus" } as const;
      const add = () => connection.addTrack(source === undefined ? track : { ...track, source });
      assert.throws(add, { code: "invalid_argument" });
    };
    if (stage.media.form === "live") {
      const ended = stage.play(stage.source("opus"));
      stage.silence();
      for (const source of [undefined, ended, stage.play(stage.source("VP8"))]) refuses(source);
    } else refuses({ kind: "audio", readyState: "live" } as LiveTrack);
    const local = added(stage, pair.a, "one", "opus");
    const other = { kind: "video", readyState: "live" } as LiveTrack;
    assert.throws(() => local.replace(other), { code: "invalid_argument" });
  });

  it("plays another source at once, without an offer", limit, async (t) => {
    const stage = await open();
    if (stage.media.form !== "live") return t.skip("this stack takes samples");
    using pair = await stage.pair();
    const { a, b } = pair;
    const local = a.connection.addTrack(stage.track("tone", "opus", tone(1_000)));
    await negotiate(a, b);
    await b.until(() => sounds(b, "tone", 1_000));
    local.replace(stage.play(tone(2_000)));
    await b.until(() => sounds(b, "tone", 2_000));
    a.connection.removeTrack("tone");
    const third = stage.play(tone(500));
    assert.throws(() => local.replace(third), { code: "unavailable" });
  });

  it(
    "ends a live track with the peer's, and plays the next although that was stopped",
    limit,
    async (t) => {
      const stage = await open();
      if (stage.media.form !== "live") return t.skip("this stack gives samples");
      using pair = await stage.pair();
      const { a, b } = pair;
      const state = (at: number): unknown => b.tracks[at]?.live?.readyState;
      await passes(stage, [a, b], "first", "opus");
      assert.equal(state(0), "live");
      a.connection.removeTrack("first");
      await negotiate(a, b);
      assert.equal(state(0), "ended");
      await passes(stage, [a, b], "second", "opus");
      assert.deepEqual([state(0), state(1)], ["ended", "live"]);
      b.connection.close();
      assert.equal(state(1), "ended");
    },
  );
}

function refusals(open: Open): void {
  it("refuses names that are none or taken, and codecs that it does not send", limit, async () => {
    const stage = await open();
    using pair = await stage.pair();
    const { a } = pair;
    for (const id of ["", "two words", "ü", "a\r\nb", "x".repeat(257)]) {
      assert.throws(() => added(stage, a, id, "opus"), { code: "invalid_argument" });
    }
    added(stage, a, "one", "opus");
    assert.throws(() => added(stage, a, "one", "opus"), { code: "invalid_argument" });
    for (const codec of ["opus", "VP8", "H264"] as const) {
      if (stage.media.codecs.includes(codec)) continue;
      assert.throws(() => added(stage, a, "two", codec), { code: "not_implemented" });
    }
  });

  it(
    "refuses samples that it cannot send, and those of a track that was removed",
    limit,
    async () => {
      const stage = await open();
      using pair = await stage.pair();
      const local = added(stage, pair.a, "one", "opus");
      const good = stage.source("opus").make(0);
      const [odd, other] = [
        new Uint8Array(1_921),
        sourceFor(otherThan(stage.media), "opus").make(0),
      ];
      for (const bad of [other, { ...good, data: odd }, { ...good, data: new Uint8Array() }]) {
        assert.throws(() => local.send(bad), { code: "invalid_argument" });
      }
      if (stage.media.form === "live") {
        assert.throws(() => local.send(good), { code: "invalid_argument" });
      } else assert.equal(local.send(good), false, "nobody has agreed to it");
      pair.a.connection.removeTrack("one");
      assert.throws(() => local.send(good), { code: "unavailable" });
    },
  );

  it("adds and takes no more tracks than its options say", limit, async () => {
    const stage = await open();
    using pair = await stage.pair({ options: { maxTracks: 2 } });
    const { a, b } = pair;
    for (const id of ["1", "2"]) added(stage, a, id, "opus");
    assert.throws(() => added(stage, a, "3", "opus"), { code: "overloaded" });
    const offer = await a.connection.createOffer();
    await b.connection.setRemote(offer);
    const sound = offer.sdp.split(/(?=^m=)/m).find((section) => section.startsWith("m=audio"));
    const more = `${offer.sdp}${sound?.replace(/^a=mid:\S+/m, "a=mid:more")}`;
    const refused = b.connection.setRemote({ type: "offer", sdp: more });
    await assert.rejects(refused, { code: "overloaded" });
  });
}

/** Adds a track; its peer knows of it from the next offer on. */
function added(stage: MediaStage, { connection }: End, id: string, codec: MediaCodec): LocalTrack {
  return connection.addTrack(stage.track(id, codec));
}

function otherThan({ form }: MediaCapabilities): MediaCapabilities["form"] {
  return form === "rtp" ? "raw" : "rtp";
}

/** Adds a track, has the peer agree, and sends until some of it has come. */
async function passes(
  stage: MediaStage,
  [from, to]: readonly [End, End],
  id: string,
  codec: MediaCodec,
): Promise<readonly MediaSample[]> {
  const { form } = stage.media;
  const local = added(stage, from, id, codec);
  await negotiate(from, to);
  const { live, ...announced } = to.tracks.find((each) => each.id === id) ?? {};
  assert.deepEqual(announced, { id, kind: codec === "opus" ? "audio" : "video", codec });
  assert.equal(live !== undefined, form === "live");
  await stage.arrives(to, local);
  const [first] = to.samplesOf(id);
  assert.equal(first?.codec, codec);
  assert.equal(first?.format === undefined, form === "rtp");
  return to.samplesOf(id);
}

/** Whether what came last of a track is a tone of `hertz`. */
function sounds(end: End, id: string, hertz: number): boolean {
  const heard = end.samplesOf(id).slice(-20);
  return heard.length === 20 && Math.abs(pitch(heard) - hertz) < 30;
}

function names({ tracks: announced }: End): string[] {
  return announced.map(({ id }) => id);
}

async function agreed(a: End, b: End): Promise<string> {
  const offer = await a.connection.createOffer();
  await b.connection.setRemote(offer);
  await a.connection.setRemote(await b.connection.createAnswer());
  return offer.sdp;
}

/** What each section is for, in their order, with its name. */
function sections(sdp: string): string[] {
  return [...sdp.matchAll(/^m=(\w+)/gm)].map(([, kind = ""]) => kind);
}
