import { abortable } from "#async";
import { ActrError } from "../errors.ts";
import type { SessionState } from "../identity/session_state.ts";
import type { MediaSample, MediaTrack, TrackOptions } from "../media.ts";
import type { Clock } from "../ports/clock.ts";
import type { LinkMedia } from "../ports/media.ts";
import type { Transport } from "../ports/transport.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import type { SessionManager } from "../session/session_manager.ts";
import { abortAfter } from "../time_limit.ts";

/** Collaborators of {@link MediaSender}. */
export interface MediaSenderComponents {
  readonly clock: Clock;
  readonly session: Pick<SessionState, "current" | "assertUsable">;
  readonly sessions: SessionManager;
  readonly transports: readonly Transport[];
}

/** Deadline of a change of tracks, unless its options say otherwise, milliseconds. */
const defaultTimeoutMs = 15_000;
/** How long a connection that carries media may come after one that does not, milliseconds. */
const laterMs = 5_000;

/** The tracks that a node sends: finds the connection that carries them, and sends each sample once. */
export class MediaSender {
  readonly #components: MediaSenderComponents;
  /** Names of the transports whose links may carry media. */
  readonly #carriers: ReadonlySet<string>;
  #dropped = 0;

  constructor(components: MediaSenderComponents) {
    this.#components = components;
    const carriers = components.transports.filter(
      ({ capabilities }) => capabilities.media === true,
    );
    this.#carriers = new Set(carriers.map(({ name }) => name));
  }

  /** Samples that were not sent, since their connection did not work. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @throws as `Media.addTrack`. */
  async addTrack(
    target: ActrId,
    track: MediaTrack,
    options: TrackOptions = {},
  ): Promise<AbortSignal> {
    this.#assertUsable();
    if (this.#carriers.size === 0) throw noCarrier();
    return await this.#within(options, `adding the track ${track.id}`, async (signal) => {
      const media = await this.#connect(target, signal);
      return await abortable(media.addTrack(track), signal);
    });
  }

  /** @throws as `Media.removeTrack`. */
  async removeTrack(target: ActrId, id: string, options: TrackOptions = {}): Promise<void> {
    const media = this.#holding(formatActrId(target), id);
    if (media === undefined) return;
    await this.#within(options, `removing the track ${id}`, (signal) =>
      abortable(media.removeTrack(id), signal),
    );
  }

  /** @throws as `Media.send`. */
  send(target: ActrId, id: string, sample: MediaSample): boolean {
    this.#assertUsable();
    const key = formatActrId(target);
    const media = this.#holding(key, id);
    if (media === undefined) {
      const message = `no track ${id} is sent to ${key}, or its connection has ended; add it`;
      throw new ActrError("not_found", message);
    }
    const sent = media.send(id, sample);
    if (!sent) this.#dropped += 1;
    return sent;
  }

  #assertUsable(): void {
    const { session } = this.#components;
    session.assertUsable(session.current.generation);
  }

  async #within<T>(
    { timeoutMs = defaultTimeoutMs, signal }: TrackOptions,
    what: string,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const limit = abortAfter(this.#components.clock, timeoutMs, signal, what);
    try {
      return await work(limit.signal);
    } finally {
      limit.cancel();
    }
  }

  async #connect(target: ActrId, signal: AbortSignal): Promise<LinkMedia> {
    const { sessions } = this.#components;
    const key = formatActrId(target);
    const ready = this.#carrying(key);
    if (ready !== undefined) return ready;
    await sessions.acquire(target, key, signal);
    return this.#carrying(key) ?? (await this.#later(key, signal));
  }

  /** Another connection was quicker than one that carries media, which is under way too. */
  async #later(key: string, signal: AbortSignal): Promise<LinkMedia> {
    const { clock, sessions } = this.#components;
    const limit = abortAfter(clock, laterMs, signal);
    try {
      for (;;) {
        const session = sessions.session(key);
        if (session === undefined) throw noMedia(key, []);
        await abortable(session.changed(), limit.signal);
        const media = this.#carrying(key);
        if (media !== undefined) return media;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!limit.signal.aborted) throw error;
      const links = [...(sessions.session(key)?.links ?? [])];
      throw noMedia(key, [...new Set(links.map(({ transport }) => transport))]);
    } finally {
      limit.cancel();
    }
  }

  /** @throws ActrError `not_implemented` when a stack without media is what there is. */
  #carrying(key: string): LinkMedia | undefined {
    const links = [...(this.#components.sessions.session(key)?.links ?? [])];
    const media = links.find((link) => link.media !== undefined)?.media;
    if (media === undefined && links.some(({ transport }) => this.#carriers.has(transport))) {
      const message = "this node's WebRTC stack carries no media; use one that does";
      throw new ActrError("not_implemented", message);
    }
    return media;
  }

  #holding(key: string, id: string): LinkMedia | undefined {
    for (const { media } of this.#components.sessions.session(key)?.links ?? []) {
      if (media?.has(id) === true) return media;
    }
    return undefined;
  }
}

function noCarrier(): ActrError {
  const message = "media need WebRTC, which this node does not have; serve it with webrtc: true";
  return new ActrError("not_implemented", message);
}

function noMedia(key: string, transports: readonly string[]): ActrError {
  const how = transports.length === 0 ? "nothing" : transports.join(", ");
  const message = `${key} is connected by ${how}, and media need WebRTC, which it does not answer; see that it has it`;
  return new ActrError("unavailable", message);
}
