import type { Clock } from "../ports/clock.ts";
import type { Link } from "../ports/transport.ts";

/** How long a send counts as recent, milliseconds (`spec/transport.md` §8). */
export const activityTtlMs = 30_000;

/** Records of one connection after which those that are over are looked for; then each time that what was left has doubled. */
const pruneAbove = 256;

/** What was sent on one connection. */
interface Activity {
  readonly sessionId: number;
  /** Monotonic time of the newest chunk, by stream id. */
  readonly streams: Map<string, number>;
  /** Records above which those that are over are looked for. */
  pruneAbove: number;
}

/** Streams that might have lost something when their connection is lost. */
export interface RecentStreams {
  /** Number of the connection among those that streams were sent on. */
  readonly sessionId: number;
  readonly streamIds: readonly string[];
}

/** Remembers which streams were sent on which connection lately: one record for each stream and connection. */
export class StreamActivity {
  readonly #clock: Clock;
  /** Weak, since a chunk may also be sent on a connection that is gone already. */
  readonly #byLink = new WeakMap<Link, Activity>();
  #sessions = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records of one connection. */
  size(link: Link): number {
    return this.#byLink.get(link)?.streams.size ?? 0;
  }

  /** A chunk of `streamId` leaves on `link`. */
  sent(link: Link, streamId: string): void {
    let activity = this.#byLink.get(link);
    if (activity === undefined) {
      this.#sessions += 1;
      activity = { sessionId: this.#sessions, streams: new Map(), pruneAbove };
      this.#byLink.set(link, activity);
    }
    const now = this.#clock.monotonic();
    const { streams } = activity;
    streams.set(streamId, now);
    if (streams.size <= activity.pruneAbove) return;
    prune(streams, now);
    activity.pruneAbove = Math.max(pruneAbove, 2 * streams.size);
  }

  /** Forgets a connection that is gone; its recent streams, when there are any. */
  take(link: Link): RecentStreams | undefined {
    const activity = this.#byLink.get(link);
    if (activity === undefined) return undefined;
    this.#byLink.delete(link);
    prune(activity.streams, this.#clock.monotonic());
    if (activity.streams.size === 0) return undefined;
    return { sessionId: activity.sessionId, streamIds: [...activity.streams.keys()] };
  }
}

function prune(streams: Map<string, number>, now: number): void {
  for (const [streamId, at] of streams) {
    if (now - at >= activityTtlMs) streams.delete(streamId);
  }
}
