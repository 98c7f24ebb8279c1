import { ActrError } from "../errors.ts";
import type { MediaSample, SampleHandler } from "../media.ts";
import type { StreamOptions } from "../options.ts";
import type { Logger } from "../ports/logger.ts";
import type { ActrId } from "../protocol/ids.ts";
import { troubles } from "../trouble.ts";
import { OrderedWorker } from "./ordered_worker.ts";

interface Track {
  readonly worker: OrderedWorker;
  handler: SampleHandler;
}

/** Takes media samples to who registered for their track, each track in order; what is too late is dropped. */
export class MediaTracks {
  readonly #log: Logger;
  readonly #options: Pick<StreamOptions, "maxStreams" | "maxQueued">;
  readonly #tracks = new Map<string, Track>();
  #dropped = 0;
  #failed = 0;
  #closed = false;

  constructor(
    components: { readonly log: Logger },
    options: Pick<StreamOptions, "maxStreams" | "maxQueued">,
  ) {
    this.#log = components.log;
    this.#options = options;
  }

  /** Ids of the tracks that are registered. */
  get tracks(): readonly string[] {
    return [...this.#tracks.keys()];
  }

  /** Samples of unknown tracks, and those that found their queue full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Samples whose handler threw. */
  get failed(): number {
    return this.#failed;
  }

  /** @throws as `Media.register`. */
  register(trackId: string, handler: SampleHandler): void {
    if (this.#closed) return;
    const known = this.#tracks.get(trackId);
    if (known !== undefined) {
      known.handler = handler;
      return;
    }
    const { maxStreams } = this.#options;
    if (this.#tracks.size >= maxStreams) {
      const message = `${maxStreams} media tracks are registered; unregister some, or raise streams.maxStreams`;
      throw new ActrError("overloaded", message);
    }
    const failed = (error: unknown): void => this.#fail(trackId, error);
    const worker = new OrderedWorker({ failed, idle: () => {} });
    this.#tracks.set(trackId, { worker, handler });
  }

  /** Takes no more samples of a track. Idempotent. */
  unregister(trackId: string): void {
    this.#tracks.delete(trackId);
  }

  /** Takes one sample; a transport that carries media calls it. */
  dispatch(trackId: string, sample: MediaSample, sender: ActrId): void {
    const track = this.#tracks.get(trackId);
    if (track === undefined || track.worker.queued >= this.#options.maxQueued) {
      this.#dropped += 1;
      return;
    }
    const { handler, worker } = track;
    worker.add(() => handler(sample, sender));
  }

  /** Takes nothing more. */
  close(): void {
    this.#closed = true;
    for (const { worker } of this.#tracks.values()) worker.discard();
    this.#tracks.clear();
  }

  /** The first failure is logged, then each time that their number has doubled. */
  #fail(trackId: string, error: unknown): void {
    const count = ++this.#failed;
    if ((count & (count - 1)) === 0)
      this.#log.warn("media.handler_failed", {
        track_id: trackId,
        count,
        ...troubles.handlerError,
        error,
      });
  }
}
