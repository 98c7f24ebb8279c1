import type { Asker, Candidate, Position } from "./candidate.ts";

/** A number of a candidate; the smallest comes first. */
export type Key = (each: Candidate) => number;

/** NodeRankingFactor by wire number (`spec/protocol.md` §2.5). */
export const rankingFactors = {
  maximumPowerReserve: 0,
  minimumMailboxBacklog: 1,
  exactMatchFirst: 2,
  nearest: 3,
  clientAffinity: 4,
} as const;

const earthRadiusKm = 6371;

/** The key of a ranking factor (`spec/protocol.md` §8.1); undefined for one that is not known. */
export function factorKey(factor: number, asker: Asker): Key | undefined {
  switch (factor) {
    case rankingFactors.maximumPowerReserve:
      return ({ powerReserve = 0 }) => -powerReserve;
    case rankingFactors.minimumMailboxBacklog:
      return ({ backlog = 1 }) => backlog;
    case rankingFactors.exactMatchFirst:
      return matchKey(asker);
    case rankingFactors.nearest:
      return distanceKey(asker);
    case rankingFactors.clientAffinity:
      return ({ stickyClients }) => (stickyClients?.has(asker.id) ? 0 : 1);
    default:
      return undefined;
  }
}

/** Those first that offer just what the asker was built for. */
export function matchKey({ fingerprint }: Asker): Key {
  const wanted = fingerprint.trim();
  return ({ fingerprint: own }) => (wanted !== "" && own === wanted ? 0 : 1);
}

/** Those first whose mailboxes have more quarters free. */
export const roomKey: Key = ({ backlog = 0 }) => Math.floor(backlog * 4);

/** Nearest first, unknown positions last; an asker of unknown position gets the placed ones first. */
function distanceKey({ position: from }: Asker): Key {
  return ({ position }) => {
    if (position === undefined) return Number.MAX_VALUE;
    return from === undefined ? 0 : haversineKm(from, position);
  };
}

/** Great-circle distance in kilometres. */
export function haversineKm(a: Position, b: Position): number {
  const rad = Math.PI / 180;
  const dLat = (b.latitude - a.latitude) * rad;
  const dLon = (b.longitude - a.longitude) * rad;
  const h =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(a.latitude * rad) * Math.cos(b.latitude * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}
