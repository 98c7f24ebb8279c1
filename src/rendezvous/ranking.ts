/** A point on the globe, degrees. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** What is known of one candidate; absent means unknown. */
export interface Candidate {
  /** ServiceAvailabilityState, 0 (full) to 3 (unavailable). */
  readonly availability?: number | undefined;
  /** ServiceDependencyState, 0 (healthy) to 2 (broken). */
  readonly dependency?: number | undefined;
  readonly powerReserve?: number | undefined;
  /** Share of the mailbox in use, 0 to 1. */
  readonly backlog?: number | undefined;
  /** Fingerprint of the service that it offers. */
  readonly fingerprint?: string | undefined;
  readonly position?: Position | undefined;
  /** Texts of the ActrIds that it wants to go on serving. */
  readonly stickyClients?: ReadonlySet<string> | undefined;
}

/** NodeSelectionCriteria in plain numbers (`spec/protocol.md` §2.5). */
export interface Criteria {
  readonly count: number;
  /** NodeRankingFactor numbers, most important first; unknown ones are ignored. */
  readonly factors: readonly number[];
  readonly minimalHealth?: number | undefined;
  readonly minimalDependency?: number | undefined;
}

/** Who asks, as far as ranking cares. */
export interface Asker {
  /** Text of its ActrId. */
  readonly id: string;
  readonly fingerprint: string;
  readonly position?: Position | undefined;
}

/** NodeRankingFactor by wire number. */
export const rankingFactors = {
  maximumPowerReserve: 0,
  minimumMailboxBacklog: 1,
  exactMatchFirst: 2,
  nearest: 3,
  clientAffinity: 4,
} as const;

/** State from which on a candidate of unknown state is admitted, and as which it is sorted by health. */
const admitsUnknownFrom = 1;
const unknownStateRank = 2;
const earthRadiusKm = 6371;

type Order = (a: Candidate, b: Candidate) => number;

/**
 * Candidates filtered, sorted and cut by `criteria`; equal ones keep the given order (`spec/protocol.md` §8.1).
 * Without criteria all are returned as given.
 */
export function rank<T extends Candidate>(
  candidates: readonly T[],
  criteria: Criteria | undefined,
  asker: Asker,
): T[] {
  if (criteria === undefined) return [...candidates];
  const { minimalHealth: health, minimalDependency: dependency } = criteria;
  let kept = [...candidates];
  if (health !== undefined) kept = atLeast(kept, health, (each) => each.availability);
  if (dependency !== undefined) kept = atLeast(kept, dependency, (each) => each.dependency);
  const orders = criteria.factors.flatMap((factor) => orderOf(factor, asker) ?? []);
  return kept.sort((a, b) => firstDifference(orders, a, b)).slice(0, criteria.count);
}

/**
 * Candidates in the order that serves an asker who ranks by nothing: those that offer just what it was built for first, then
 * those whose mailboxes have more quarters free, else as given. How available a node calls itself does not count: real
 * ones call themselves unavailable when they are idle (`spec/real-client.md`).
 */
export function spread<T extends Candidate>(candidates: readonly T[], asker: Asker): T[] {
  const orders = [byMatch(asker.fingerprint.trim()), byRoom];
  return [...candidates].sort((a, b) => firstDifference(orders, a, b));
}

function byRoom(a: Candidate, b: Candidate): number {
  return quarters(a) - quarters(b);
}

function quarters({ backlog = 0 }: Candidate): number {
  return Math.floor(backlog * 4);
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

/** Those whose state is `minimum` or better, best first. */
function atLeast<T>(
  candidates: readonly T[],
  minimum: number,
  state: (each: T) => number | undefined,
): T[] {
  const admitted = (value: number | undefined): boolean =>
    value === undefined ? minimum >= admitsUnknownFrom : value <= minimum;
  return candidates
    .filter((each) => admitted(state(each)))
    .sort((a, b) => (state(a) ?? unknownStateRank) - (state(b) ?? unknownStateRank));
}

function orderOf(factor: number, asker: Asker): Order | undefined {
  switch (factor) {
    case rankingFactors.maximumPowerReserve:
      return (a, b) => (b.powerReserve ?? 0) - (a.powerReserve ?? 0);
    case rankingFactors.minimumMailboxBacklog:
      return (a, b) => (a.backlog ?? 1) - (b.backlog ?? 1);
    case rankingFactors.exactMatchFirst:
      return byMatch(asker.fingerprint.trim());
    case rankingFactors.nearest:
      return byDistance(asker.position);
    case rankingFactors.clientAffinity:
      return byAffinity(asker.id);
    default:
      return undefined;
  }
}

function byMatch(fingerprint: string): Order {
  const misses = ({ fingerprint: own }: Candidate): number =>
    fingerprint !== "" && own === fingerprint ? 0 : 1;
  return (a, b) => misses(a) - misses(b);
}

function byAffinity(id: string): Order {
  const strangers = ({ stickyClients }: Candidate): number => (stickyClients?.has(id) ? 0 : 1);
  return (a, b) => strangers(a) - strangers(b);
}

/** Nearest first, unknown positions last; an asker of unknown position gets the placed ones first. */
function byDistance(from: Position | undefined): Order {
  const distance = ({ position }: Candidate): number => {
    if (position === undefined) return Number.MAX_VALUE;
    return from === undefined ? 0 : haversineKm(from, position);
  };
  return (a, b) => distance(a) - distance(b);
}

function firstDifference(orders: readonly Order[], a: Candidate, b: Candidate): number {
  for (const order of orders) {
    const difference = order(a, b);
    if (difference !== 0) return difference;
  }
  return 0;
}
