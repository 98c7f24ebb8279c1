// Deno has no WebRTC, and so no types of it.
/// <reference lib="dom" />
import type { RawReceiver } from "../webrtc/raw_connection.ts";

/**
 * The peer's tracks as the page gets them: a copy of each, which ends when the peer removes it, although the browser keeps
 * its own for the next track of the section; and which the page may stop without stopping that one.
 */
export class LiveReceiver implements RawReceiver {
  readonly #native: RTCPeerConnection;
  readonly #playing = new Map<string, MediaStreamTrack>();

  constructor(native: RTCPeerConnection) {
    this.#native = native;
  }

  begin(mid: string): MediaStreamTrack | undefined {
    const own = this.#native.getTransceivers().find((each) => each.mid === mid)?.receiver.track;
    const track = own?.clone();
    if (track !== undefined) this.#playing.set(mid, track);
    return track;
  }

  end(mid: string): void {
    this.#playing.get(mid)?.stop();
    this.#playing.delete(mid);
  }
}
