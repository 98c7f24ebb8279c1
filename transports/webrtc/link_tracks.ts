import { ActrError } from "../../src/errors.ts";
import type { MediaSample, MediaTrack } from "../../src/media.ts";
import type { LinkMedia, LocalTrack } from "../../src/ports/media.ts";
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
}

/** The media tracks of one connection: each change is one renegotiation (`spec/transport.md` §9). */
export class LinkTracks implements LinkMedia {
  readonly #parts: LinkTracksParts;
  readonly #tracks = new Map<string, Added>();
  #tell: ((trackId: string, sample: MediaSample) => void) | undefined;

  constructor(parts: LinkTracksParts) {
    this.#parts = parts;
  }

  async addTrack(track: MediaTrack): Promise<void> {
    const known = this.#tracks.get(track.id);
    if (known !== undefined && known.track.codec === track.codec) return await known.agreed;
    const added = this.#parts.connection.addTrack(track);
    const agreed = this.#parts.renegotiate();
    this.#tracks.set(track.id, { track: added, agreed });
    try {
      await agreed;
    } catch (error) {
      if (this.#tracks.get(track.id)?.track === added) this.#drop(track.id);
      throw error;
    }
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

  /** To be called for each sample of the peer. */
  received(trackId: string, sample: MediaSample): void {
    this.#tell?.(trackId, sample);
  }

  #drop(id: string): void {
    this.#tracks.delete(id);
    const { connection } = this.#parts;
    if (connection.state !== "closed") connection.removeTrack(id);
  }
}
