import type { Logger } from "../ports/logger.ts";
import type { FrameStream, Link } from "../ports/transport.ts";
import { troubles } from "../trouble.ts";
import type { Peer } from "./peer.ts";
import type { SessionEvents } from "./session_manager.ts";

/** What a link has brought so far. */
interface Arrivals {
  frames: number;
  /** Its streams of frames that wait until this node catches up. */
  held: number;
}

/** Collaborators of {@link LinkReader}. */
export interface LinkReaderComponents {
  readonly log: Logger;
  readonly events: Pick<SessionEvents, "frame" | "exhausted">;
}

/** Reads links, and knows which have brought something lately. */
export class LinkReader {
  readonly #components: LinkReaderComponents;
  readonly #arrivals = new WeakMap<Link, Arrivals>();

  constructor(components: LinkReaderComponents) {
    this.#components = components;
  }

  /** How many frames `link` has brought so far. */
  arrivedOn(link: Link): number {
    return this.#arrivals.get(link)?.frames ?? 0;
  }

  /** Whether a link has brought nothing at all since `arrived` frames had come, though this node would have taken it. */
  isSilent(link: Link, arrived: number): boolean {
    const arrivals = this.#arrivals.get(link);
    return arrivals !== undefined && arrivals.held === 0 && arrivals.frames <= arrived;
  }

  /** Hands over every frame of a link until it has ended, each of its streams of frames in order. */
  async read(link: Link, peer: Peer): Promise<void> {
    const arrivals: Arrivals = { frames: 0, held: 0 };
    this.#arrivals.set(link, arrivals);
    const sources = [link.frames, ...(link.streams ?? [])];
    await Promise.all(sources.map((frames) => this.#readOne(frames, link, peer, arrivals)));
    this.#components.events.exhausted(peer, link);
  }

  async #readOne(frames: FrameStream, link: Link, peer: Peer, arrivals: Arrivals): Promise<void> {
    const { events, log } = this.#components;
    try {
      for await (const first of frames) {
        for (let frame: typeof first | undefined = first; frame !== undefined; ) {
          arrivals.frames += 1;
          const wait = events.frame(frame, peer, link);
          if (wait !== undefined) {
            arrivals.held += 1;
            await wait;
            arrivals.held -= 1;
          }
          frame = frames.poll();
        }
      }
    } catch (error) {
      const fields = { peer: peer.key, transport: link.transport, ...troubles.readFailed, error };
      log.error("session.read_failed", fields);
      await link.close("reading failed");
    }
  }
}
