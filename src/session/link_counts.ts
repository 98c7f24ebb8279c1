import type { Link, LinkClosed, LinkFigures } from "../ports/transport.ts";

/** Why requests left a link: a better one is there, or it works no more. */
export type MoveReason = "better" | "fallback";

/** What became of the links of one transport since the node began. */
export interface TransportCounts {
  readonly opened: Record<Link["direction"], number>;
  readonly closed: Record<LinkClosed["by"], number>;
  failedDials: number;
  /** Times that a link has stopped to work without having ended. */
  interruptions: number;
  /** Times that the requests of a session moved to a link of this transport. */
  readonly moves: Record<MoveReason, number>;
  /** What links carried that have ended. */
  readonly carried: Carried;
}

/** What links carried, in frames and bytes of their bodies. */
export interface Carried {
  sentFrames: number;
  sentBytes: number;
  receivedFrames: number;
  receivedBytes: number;
  restarts: number;
}

/** Counts what becomes of links, by transport: what it holds does not grow with the number of peers. */
export class LinkCounts {
  readonly #byTransport = new Map<string, TransportCounts>();

  /** Those of one transport; all zero for one that was never used. */
  of(transport: string): TransportCounts {
    const known = this.#byTransport.get(transport);
    if (known !== undefined) return known;
    const counts = none();
    this.#byTransport.set(transport, counts);
    return counts;
  }

  opened({ transport, direction }: Link): void {
    this.of(transport).opened[direction] += 1;
  }

  closed({ transport, figures }: Link, by: LinkClosed["by"]): void {
    const counts = this.of(transport);
    counts.closed[by] += 1;
    addCarried(counts.carried, figures);
  }

  moved({ transport }: Link, reason: MoveReason): void {
    this.of(transport).moves[reason] += 1;
  }
}

/** Adds what a link carried. */
export function addCarried(total: Carried, figures: LinkFigures | undefined): void {
  if (figures === undefined) return;
  total.sentFrames += figures.sentFrames;
  total.sentBytes += figures.sentBytes;
  total.receivedFrames += figures.receivedFrames;
  total.receivedBytes += figures.receivedBytes;
  total.restarts += figures.restarts ?? 0;
}

function none(): TransportCounts {
  return {
    opened: { inbound: 0, outbound: 0 },
    closed: { local: 0, remote: 0, lost: 0 },
    failedDials: 0,
    interruptions: 0,
    moves: { better: 0, fallback: 0 },
    carried: { sentFrames: 0, sentBytes: 0, receivedFrames: 0, receivedBytes: 0, restarts: 0 },
  };
}
