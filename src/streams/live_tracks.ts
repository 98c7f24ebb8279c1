import { ActrError } from "../errors.ts";
import type { LiveTrack, LiveTrackHandler } from "../media.ts";
import type { StreamOptions } from "../options.ts";
import type { Logger } from "../ports/logger.ts";
import type { ActrId } from "../protocol/ids.ts";
import { troubles } from "../trouble.ts";

interface Playing {
  readonly id: string;
  readonly track: LiveTrack;
  readonly sender: ActrId;
  readonly ended: AbortSignal;
}

interface Watcher {
  readonly handler: LiveTrackHandler;
  /** Aborted when it watches no more. */
  readonly over: AbortController;
}

/** Takes the live tracks of peers to who watches for their name, early or late. */
export class LiveTracks {
  readonly #log: Logger;
  readonly #maxWatched: number;
  readonly #playing = new Set<Playing>();
  readonly #watchers = new Map<string, Watcher>();
  #closed = false;

  constructor(components: { readonly log: Logger }, options: Pick<StreamOptions, "maxStreams">) {
    this.#log = components.log;
    this.#maxWatched = options.maxStreams;
  }

  /** @throws as `Media.watch`. */
  watch(id: string, handler: LiveTrackHandler): void {
    if (this.#closed) return;
    if (!this.#watchers.has(id) && this.#watchers.size >= this.#maxWatched) {
      const message = `${this.#maxWatched} names of tracks are watched; unwatch some, or raise streams.maxStreams`;
      throw new ActrError("overloaded", message);
    }
    this.unwatch(id);
    const watcher = { handler, over: new AbortController() };
    this.#watchers.set(id, watcher);
    for (const each of this.#playing) if (each.id === id) void this.#show(each, watcher);
  }

  /** Whoever watches takes no more tracks of this name, and those that were taken have ended. */
  unwatch(id: string): void {
    this.#watchers.get(id)?.over.abort();
    this.#watchers.delete(id);
  }

  /** A peer has begun to send a track. */
  began(id: string, track: LiveTrack, sender: ActrId, ended: AbortSignal): void {
    if (this.#closed || ended.aborted) return;
    const playing = { id, track, sender, ended };
    this.#playing.add(playing);
    ended.addEventListener("abort", () => this.#playing.delete(playing), { once: true });
    const watcher = this.#watchers.get(id);
    if (watcher !== undefined) void this.#show(playing, watcher);
  }

  /** Takes nothing more. */
  close(): void {
    this.#closed = true;
    for (const id of this.#watchers.keys()) this.unwatch(id);
    this.#playing.clear();
  }

  async #show({ id, track, sender, ended }: Playing, { handler, over }: Watcher): Promise<void> {
    try {
      await handler(track, sender, AbortSignal.any([ended, over.signal]));
    } catch (error) {
      const { handlerError } = troubles;
      this.#log.warn("media.watcher_failed", { track_id: id, ...handlerError, error });
    }
  }
}
