import type { RemoteTrack } from "../../src/ports/media.ts";

/** One audio or video section of a description. */
export interface MediaSection {
  readonly mid: string;
  /** The track that the writer of the description sends there; undefined while it sends none. */
  readonly track: RemoteTrack | undefined;
  /** Names of codecs by their RTP payload type, the preferred one first. */
  readonly codecs: ReadonlyMap<number, string>;
}

/** The audio and video sections of a description, in order. */
export function mediaSections(sdp: string): MediaSection[] {
  return sdp
    .split(/^m=/m)
    .slice(1)
    .flatMap((section) => read(section) ?? []);
}

/** A description with other names in the sections of these mids: of the stream and of the track, as `a=msid` has them. */
export function withTrackNames(sdp: string, names: ReadonlyMap<string, string>): string {
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => {
      const name = names.get(midOf(section) ?? "");
      if (name === undefined) return section;
      return section.replace(/^(a=(?:ssrc:\d+ )?msid:)[^\r\n]*/gm, (_, field) => `${field}${name}`);
    })
    .join("");
}

function midOf(section: string): string | undefined {
  return /^a=mid:(\S+)/m.exec(section)?.[1];
}

function read(section: string): MediaSection | undefined {
  const [, kind, port, formats = ""] = /^(audio|video) (\d+) \S+ (.*)/.exec(section) ?? [];
  const mid = midOf(section);
  if ((kind !== "audio" && kind !== "video") || mid === undefined) return undefined;
  const codecs = codecsIn(section, formats);
  const id = /^a=msid:\S+ (\S+)/m.exec(section)?.[1];
  const sends = port !== "0" && !/^a=(recvonly|inactive)\s*$/m.test(section);
  const [codec] = codecs.values();
  if (!sends || id === undefined || codec === undefined) return { mid, codecs, track: undefined };
  return { mid, codecs, track: { id, kind, codec } };
}

function codecsIn(section: string, formats: string): Map<number, string> {
  const names = new Map(
    [...section.matchAll(/^a=rtpmap:(\d+) ([^/\s]+)/gm)].map(([, type, name = ""]) => [type, name]),
  );
  const codecs = formats.trim().split(" ");
  return new Map(
    codecs.flatMap((type) => {
      const name = names.get(type);
      return name === undefined ? [] : [[Number(type), name] as const];
    }),
  );
}
