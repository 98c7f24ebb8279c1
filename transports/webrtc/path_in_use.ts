import type { Clock } from "../../src/ports/clock.ts";
import type { CandidatePair, PeerConnection } from "../../src/ports/peer_connections.ts";

/** How often a connection that is up is asked, and the time between, milliseconds: as long as Chromium's stack repeats what it said. */
const maxAsks = 4;
const askAgainMs = 50;

/** What {@link pathInUse} works with. */
export interface PathParts {
  readonly clock: Clock;
  readonly connection: Pick<PeerConnection, "candidatePair">;
  /** Whether the connection has ended, and nobody wants to know any more. */
  readonly isOver: () => boolean;
}

/** The path that a connection has; stacks may open a channel before their statistics know its path. Undefined for one that cannot tell. */
export async function pathInUse({
  clock,
  connection,
  isOver,
}: PathParts): Promise<CandidatePair | undefined> {
  for (let asks = 0; asks < maxAsks; asks++) {
    if (asks > 0) await pause(clock);
    if (isOver()) break;
    const pair = await connection.candidatePair().catch(() => undefined);
    if (pair !== undefined) return pair;
  }
  return undefined;
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.timer(clock.now() + askAgainMs, resolve));
}
