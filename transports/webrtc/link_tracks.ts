import { ActrError } from "../../src/errors.ts";
import type { LiveTrack, MediaSample, MediaTrack } from "../../src/media.ts";
import type { LinkMedia, LocalTrack, RemoteTrack } from "../../src/ports/media.ts";
import type { PeerConnection } from "../../src/ports/peer_connections.ts";

/** What {@link LinkTracks} work with. */
export interface LinkTracksParts {
  readonly connection: PeerConnection;
  /** Has the peer agree to the tracks of now. @throws ActrError `timed_out`, `unavailable`. */
  readonly renegotiate: () => Promise<void>;
}

interface Added {
  readonly track: LocalTrack;
  /** Settles when the peer has agreed, or has not. */
  readonly agreed: Promise<void>;
  /** Aborted when the track is gone. */
  readonly gone: AbortController;
}

interface Playing {
  readonly track: LiveTrack;
  readonly ended: AbortController;
}

/** The media tracks of one connection: each change is one renegotiation (`spec/transport.md` §9). */
export class LinkTracks implements LinkMedia {
  readonly #parts: LinkTracksParts;
  readonly #tracks = new Map<string, Added>();
  /** The peer's live tracks, by name. */
  readonly #playing = new Map<string, Playing>();
  #tell: ((trackId: string, sample: MediaSample) => void) | undefined;
  #tellLive: Parameters<LinkMedia["onLive"]>[0] = () => {};

  constructor(parts: LinkTracksParts) {
    this.#parts = parts;
  }

  async addTrack(track: MediaTrack): Promise<AbortSignal> {
    const known = this.#tracks.get(track.id);
    if (known !== undefined && known.track.codec === track.codec) {
      if (track.source !== undefined) known.track.replace(track.source);
      await known.agreed;
      return known.gone.signal;
    }
    const added = this.#parts.connection.addTrack(track);
    const agreed = this.#parts.renegotiate();
    const gone = new AbortController();
    this.#tracks.set(track.id, { track: added, agreed, gone });
    try {
      await agreed;
    } catch (error) {
      if (this.#tracks.get(track.id)?.track === added) this.#drop(track.id);
      throw error;
    }
    return gone.signal;
  }

  async removeTrack(id: string): Promise<void> {
    if (!this.#tracks.has(id)) return;
    this.#drop(id);
    if (this.#parts.connection.state !== "closed") await this.#parts.renegotiate();
  }

  has(id: string): boolean {
    return this.#tracks.has(id);
  }

  send(id: string, sample: MediaSample): boolean {
    const added = this.#tracks.get(id);
    if (added === undefined) throw new ActrError("not_found", `no track ${id}; add it first`);
    return this.#parts.connection.state === "connected" && added.track.send(sample);
  }

  onSample(tell: (trackId: string, sample: MediaSample) => void): void {
    this.#tell = tell;
  }

  onLive(tell: (trackId: string, track: LiveTrack, ended: AbortSignal) => void): void {
    this.#tellLive = tell;
    for (const [id, { track, ended }] of this.#playing) tell(id, track, ended.signal);
  }

  /** To be called for each sample of the peer. */
  received(trackId: string, sample: MediaSample): void {
    this.#tell?.(trackId, sample);
  }

  /** To be called for each track that the peer begins to send. */
  began({ id, live }: RemoteTrack): void {
    if (live === undefined) return;
    // A peer may give two tracks one name.
    this.ended(id);
    const ended = new AbortController();
    this.#playing.set(id, { track: live, ended });
    this.#tellLive(id, live, ended.signal);
  }

  /** To be called for each that it sends no more. */
  ended(id: string): void {
    this.#playing.get(id)?.ended.abort();
    this.#playing.delete(id);
  }

  /** The connection has ended, and the tracks of this side with it. */
  end(): void {
    for (const id of [...this.#tracks.keys()]) this.#drop(id);
  }

  #drop(id: string): void {
    this.#tracks.get(id)?.gone.abort();
    this.#tracks.delete(id);
    const { connection } = this.#parts;
    if (connection.state !== "closed") connection.removeTrack(id);
  }
}
