import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MediaCodec } from "../../src/media.ts";
import type { LocalTrack, MediaCapabilities } from "../../src/ports/media.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import { connectionPair, type End, negotiate } from "./connection_pair.ts";
import { arrives, pitch, sourceFor, tone } from "./media_samples.ts";

const limit = { timeout: 30_000 };

/**
 * What every PeerConnections adapter with media must do beside {@link peerConnectionsConformance}. Where
 * `mediaNeedsExit`, the process that runs it has to end by an explicit exit.
 */
export function mediaConformance(name: string, open: () => Promise<PeerConnections>): void {
  describe(`media of peer connections: ${name}`, () => {
    tracks(open);
    refusals(open);
  });
}

type Open = () => Promise<PeerConnections>;

function tracks(open: Open): void {
  for (const codec of ["opus", "VP8", "H264"] as const) {
    it(`carries ${codec} under the sender's name of the track, where it can`, limit, async (t) => {
      const { stack, media } = await withMedia(open);
      if (!media.codecs.includes(codec)) return t.skip(`this stack sends ${media.codecs}`);
      using pair = await connectionPair(stack);
      await passes(pair.a, pair.b, `a-${codec}`, codec, media);
    });
  }

  it("carries tracks of both sides, whoever offered the connection", limit, async () => {
    const { stack, media } = await withMedia(open);
    using pair = await connectionPair(stack);
    const { a, b } = pair;
    await passes(b, a, "of-b", "opus", media);
    await passes(a, b, "of-a", "opus", media);
    assert.deepEqual([names(a), names(b)], [["of-b"], ["of-a"]]);
  });

  it("keeps data first and every section at its place, and uses places again", limit, async () => {
    const { stack, media } = await withMedia(open);
    using pair = await connectionPair(stack);
    const { a, b } = pair;
    await passes(a, b, "first", "opus", media);
    await passes(a, b, "picture", "VP8", media);
    const before = await agreed(a, b);
    a.connection.removeTrack("first");
    await negotiate(a, b);
    assert.deepEqual(b.endedTracks, ["first"]);
    await passes(a, b, "second", "opus", media);
    const after = await agreed(a, b);
    assert.deepEqual(sections(after), sections(before));
    assert.equal(sections(after)[0], "application");
    assert.deepEqual(names(b), ["first", "picture", "second"]);
    pair.sender.channel.send(Uint8Array.of(1));
    await pair.receiver.until(() => pair.receiver.messages.length === 1);
  });

  it("offers its track again after it gave way to an offer of the peer", limit, async () => {
    const { stack, media } = await withMedia(open);
    using pair = await connectionPair(stack);
    const { a, b } = pair;
    const [mine, theirs] = [b, a].map((end) => end.connection.addTrack(track("crossed", "opus")));
    await b.connection.createOffer();
    await negotiate(a, b);
    await negotiate(b, a);
    assert.deepEqual([names(a), names(b)], [["crossed"], ["crossed"]]);
    await arrives(a, "crossed", mine as LocalTrack, sourceFor(media.form, "opus"));
    await arrives(b, "crossed", theirs as LocalTrack, sourceFor(media.form, "opus"));
  });

  it("tells that tracks have ended when the connection has", limit, async () => {
    const { stack, media } = await withMedia(open);
    using pair = await connectionPair(stack);
    await passes(pair.a, pair.b, "last", "opus", media);
    pair.b.connection.close();
    assert.deepEqual(pair.b.endedTracks, ["last"]);
    assert.throws(() => pair.b.connection.addTrack(track("late", "opus")), { code: "unavailable" });
  });

  it("gives encoded samples on byte by byte, with their timestamps", limit, async (t) => {
    const { stack, media } = await withMedia(open);
    if (media.form !== "rtp") return t.skip("this stack encodes by itself");
    using pair = await connectionPair(stack);
    const source = sourceFor("rtp", "opus");
    const got = await passes(pair.a, pair.b, "exact", "opus", media);
    const sent = new Map(
      Array.from({ length: 1_000 }, (_, at) => source.make(at)).map((each) => [
        each.timestamp,
        each,
      ]),
    );
    for (const sample of got) assert.deepEqual(sample, sent.get(sample.timestamp));
  });

  it("plays the tone that was sent", limit, async (t) => {
    const { stack, media } = await withMedia(open);
    if (media.form !== "raw") return t.skip("this stack does not decode");
    using pair = await connectionPair(stack);
    const { a, b } = pair;
    const local = a.connection.addTrack(track("tone", "opus"));
    await negotiate(a, b);
    await arrives(b, "tone", local, tone(1_000), () => {
      const heard = b.samplesOf("tone").slice(-20);
      return heard.length === 20 && Math.abs(pitch(heard) - 1_000) < 30;
    });
  });
}

function refusals(open: Open): void {
  it("refuses names that are none or taken, and codecs that it does not send", limit, async () => {
    const { stack, media } = await withMedia(open);
    using pair = await connectionPair(stack);
    const { connection } = pair.a;
    for (const id of ["", "two words", "ü", "a\r\nb", "x".repeat(257)]) {
      assert.throws(() => connection.addTrack(track(id, "opus")), { code: "invalid_argument" });
    }
    connection.addTrack(track("one", "opus"));
    assert.throws(() => connection.addTrack(track("one", "opus")), { code: "invalid_argument" });
    for (const codec of ["opus", "VP8", "H264"] as const) {
      if (media.codecs.includes(codec)) continue;
      assert.throws(() => connection.addTrack(track("two", codec)), { code: "not_implemented" });
    }
  });

  it(
    "refuses samples that it cannot send, and those of a track that was removed",
    limit,
    async () => {
      const { stack, media } = await withMedia(open);
      using pair = await connectionPair(stack);
      const local = pair.a.connection.addTrack(track("one", "opus"));
      const good = sourceFor(media.form, "opus").make(0);
      const [odd, other] = [new Uint8Array(1_921), sourceFor(otherThan(media), "opus").make(0)];
      for (const bad of [other, { ...good, data: odd }, { ...good, data: new Uint8Array() }]) {
        assert.throws(() => local.send(bad), { code: "invalid_argument" });
      }
      assert.equal(local.send(good), false, "nobody has agreed to it");
      pair.a.connection.removeTrack("one");
      assert.throws(() => local.send(good), { code: "unavailable" });
    },
  );

  it("adds and takes no more tracks than its options say", limit, async () => {
    const { stack } = await withMedia(open);
    using pair = await connectionPair(stack, { options: { maxTracks: 2 } });
    const { a, b } = pair;
    for (const id of ["1", "2"]) a.connection.addTrack(track(id, "opus"));
    const third = (): LocalTrack => a.connection.addTrack(track("3", "opus"));
    assert.throws(third, { code: "overloaded" });
    const offer = await a.connection.createOffer();
    await b.connection.setRemote(offer);
    const sound = offer.sdp.split(/(?=^m=)/m).find((section) => section.startsWith("m=audio"));
    const more = `${offer.sdp}${sound?.replace(/^a=mid:\S+/m, "a=mid:more")}`;
    const refused = b.connection.setRemote({ type: "offer", sdp: more });
    await assert.rejects(refused, { code: "overloaded" });
  });
}

function track(id: string, codec: MediaCodec) {
  return { id, codec };
}

function otherThan({ form }: MediaCapabilities): MediaCapabilities["form"] {
  return form === "rtp" ? "raw" : "rtp";
}

async function withMedia(open: Open) {
  const stack = await open();
  const { media } = stack.capabilities;
  if (media === false) throw new TypeError(`${stack.name} has no media`);
  return { stack, media };
}

/** Adds a track, has the peer agree, and sends until some of it has come. */
async function passes(
  from: End,
  to: End,
  id: string,
  codec: MediaCodec,
  { form }: MediaCapabilities,
) {
  const local = from.connection.addTrack(track(id, codec));
  await negotiate(from, to);
  const announced = to.tracks.find((each) => each.id === id);
  assert.deepEqual(announced, { id, kind: codec === "opus" ? "audio" : "video", codec });
  await arrives(to, id, local, sourceFor(form, codec));
  const [first] = to.samplesOf(id);
  assert.equal(first?.codec, codec);
  assert.equal(first?.format === undefined, form === "rtp");
  return to.samplesOf(id);
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
