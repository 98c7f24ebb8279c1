import type { IceCandidate } from "../../src/ports/peer_connections.ts";

/** One media section of a description, as far as candidates care. */
interface Section {
  readonly mid: string | undefined;
  readonly fragment: string | undefined;
}

/** The ICE username fragments of a description: they change with each ICE restart, and tell to which generation a candidate belongs. */
export class IceFragments {
  readonly #sections: readonly Section[];

  constructor(sdp: string) {
    const [session = "", ...media] = sdp.split(/^m=/m);
    const shared = attributeIn("ice-ufrag", session);
    this.#sections = media.map((section) => ({
      mid: attributeIn("mid", section),
      fragment: attributeIn("ice-ufrag", section) ?? shared,
    }));
  }

  /** Whether some section has this one. */
  has(fragment: string): boolean {
    return this.#sections.some((section) => section.fragment === fragment);
  }

  get all(): string[] {
    return this.#sections.flatMap(({ fragment }) => fragment ?? []);
  }

  /** That of the section which a candidate names: by mid, else by index, else the one of all; undefined when that cannot be told (`spec/transport.md` §6.4). */
  of({ sdpMid, sdpMLineIndex }: IceCandidate): string | undefined {
    const named = sdpMid
      ? this.#sections.find(({ mid }) => mid === sdpMid)
      : this.#sections[sdpMLineIndex ?? -1];
    if (named?.fragment !== undefined) return named.fragment;
    const [first, ...others] = new Set(this.all);
    return others.length === 0 ? first : undefined;
  }
}

function attributeIn(attribute: string, lines: string): string | undefined {
  return new RegExp(`^a=${attribute}:(\\S+)`, "m").exec(lines)?.[1];
}
