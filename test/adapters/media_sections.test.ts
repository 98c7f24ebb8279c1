import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mediaSections, withTrackNames } from "../../adapters/webrtc/media_sections.ts";

const lines = (...all: string[]): string => all.map((line) => `${line}\r\n`).join("");
const head = lines("v=0", "a=msid-semantic: WMS");
const section = (mid: string, stream: string, track: string): string =>
  lines(
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    `a=mid:${mid}`,
    "a=sendonly",
    `a=msid:${stream} ${track}`,
    "a=rtpmap:111 opus/48000/2",
    "a=ssrc:7 cname:x",
    `a=ssrc:7 msid:${stream} ${track}`,
  );

describe("names of tracks in descriptions", () => {
  it("are replaced where the stack wrote its own, in their sections alone", () => {
    const written = `${head}${section("0", "-", "{own}")}${section("10", "s", "t")}`;
    const named = withTrackNames(written, new Map([["0", "actr-audio $&voice"]]));
    assert.equal(
      named,
      `${head}${section("0", "actr-audio", "$&voice")}${section("10", "s", "t")}`,
    );
    const tracks = mediaSections(named).map(({ track }) => track?.id);
    assert.deepEqual(tracks, ["$&voice", "t"]);
  });

  it("stay as they are where there is none", () => {
    const inactive = lines("m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=inactive");
    assert.equal(withTrackNames(inactive, new Map([["0", "a b"]])), inactive);
    assert.equal(withTrackNames("", new Map()), "");
  });
});
