import type { Destination } from "../context.ts";
import { ActrError } from "../errors.ts";
import type {
  LiveTrackHandler,
  Media,
  MediaSample,
  MediaTrack,
  SampleHandler,
  TrackOptions,
} from "../media.ts";
import { type ActrId, actrIdEquals } from "../protocol/ids.ts";
import type { LiveTracks } from "./live_tracks.ts";
import type { MediaSender } from "./media_sender.ts";
import type { MediaTracks } from "./media_tracks.ts";

/** What a node's media are made of. */
export interface NodeMediaComponents {
  readonly received: MediaTracks;
  readonly live: LiveTracks;
  readonly sent: MediaSender;
  readonly self: () => ActrId;
}

/** The media of a node as its code uses them. */
export class NodeMedia implements Media {
  readonly #components: NodeMediaComponents;

  constructor(components: NodeMediaComponents) {
    this.#components = components;
  }

  get tracks(): readonly string[] {
    return this.#components.received.tracks;
  }

  register(trackId: string, handler: SampleHandler): void {
    this.#components.received.register(trackId, handler);
  }

  unregister(trackId: string): void {
    this.#components.received.unregister(trackId);
  }

  watch(trackId: string, handler: LiveTrackHandler): void {
    this.#components.live.watch(trackId, handler);
  }

  unwatch(trackId: string): void {
    this.#components.live.unwatch(trackId);
  }

  async addTrack(
    target: Destination,
    track: MediaTrack,
    options?: TrackOptions,
  ): Promise<AbortSignal> {
    return await this.#components.sent.addTrack(this.#peer(target), track, options);
  }

  send(target: Destination, trackId: string, sample: MediaSample): boolean {
    return this.#components.sent.send(this.#peer(target), trackId, sample);
  }

  async removeTrack(target: Destination, trackId: string, options?: TrackOptions): Promise<void> {
    await this.#components.sent.removeTrack(this.#peer(target), trackId, options);
  }

  #peer(target: Destination): ActrId {
    if (typeof target !== "string" && !actrIdEquals(target, this.#components.self())) return target;
    const message = "media tracks go to peers alone; hand samples over within the node yourself";
    throw new ActrError("not_implemented", message);
  }
}
