import type { Asker, Candidate } from "./candidate.ts";
import { factorKey, type Key, matchKey, roomKey } from "./ranking_keys.ts";

/** NodeSelectionCriteria in plain numbers (`spec/protocol.md` §2.5). */
export interface Criteria {
  readonly count: number;
  /** NodeRankingFactor numbers, most important first; unknown ones are ignored. */
  readonly factors: readonly number[];
  readonly minimalHealth?: number | undefined;
  readonly minimalDependency?: number | undefined;
}

/** State from which on a candidate of unknown state is admitted, and as which it is sorted. */
const admitsUnknownFrom = 1;
const unknownStateRank = 2;

/**
 * Candidates filtered, sorted and cut by `criteria`, all of them without (`spec/protocol.md` §8.1). What the factors leave
 * equal is sorted by the states that are demanded, then by what serves any asker: exactly the service that it was built
 * for, and room in the mailbox. How available a node calls itself is not among that: real ones call themselves unavailable
 * when they are idle (`spec/real-client.md`). Equal ones keep the given order.
 */
export function rank<T extends Candidate>(
  candidates: readonly T[],
  criteria: Criteria | undefined,
  asker: Asker,
): T[] {
  const usual = [matchKey(asker), roomKey];
  if (criteria === undefined) return sorted(candidates, usual);
  const { count, factors, minimalHealth, minimalDependency } = criteria;
  // One that is repeated has decided already; and how often it is repeated is a stranger's choice.
  const chosen = [...new Set(factors)].flatMap((factor) => factorKey(factor, asker) ?? []);
  const demands = [
    demand(minimalDependency, ({ dependency }) => dependency),
    demand(minimalHealth, ({ availability }) => availability),
  ].filter((each) => each !== undefined);
  const admitted = candidates.filter((each) => demands.every(({ admits }) => admits(each)));
  const keys = [...chosen, ...demands.map(({ key }) => key), ...usual];
  return count === 1 ? best(admitted, keys) : sorted(admitted, keys).slice(0, count);
}

interface Demand {
  admits(each: Candidate): boolean;
  readonly key: Key;
}

/** That a state is `minimum` or better, the best first; undefined when nothing is demanded. */
function demand(
  minimum: number | undefined,
  state: (each: Candidate) => number | undefined,
): Demand | undefined {
  if (minimum === undefined) return undefined;
  return {
    admits(each) {
      const value = state(each);
      return value === undefined ? minimum >= admitsUnknownFrom : value <= minimum;
    },
    key: (each) => state(each) ?? unknownStateRank,
  };
}

/** The first of them, without sorting the others: real clients ask for one. */
function best<T extends Candidate>(candidates: readonly T[], keys: readonly Key[]): T[] {
  if (candidates.length === 0) return [];
  return [candidates.reduce((found, each) => (precedes(each, found, keys) ? each : found))];
}

function precedes(a: Candidate, b: Candidate, keys: readonly Key[]): boolean {
  for (const key of keys) {
    const difference = key(a) - key(b);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Each key is asked once of each candidate, since some are costly. */
function sorted<T extends Candidate>(candidates: readonly T[], keys: readonly Key[]): T[] {
  const columns = keys.map((key) => candidates.map(key));
  const rows = candidates.map((each, index) => ({ each, index }));
  rows.sort((a, b) => firstDifference(columns, a.index, b.index));
  return rows.map(({ each }) => each);
}

function firstDifference(columns: readonly (readonly number[])[], a: number, b: number): number {
  for (const column of columns) {
    const difference = (column[a] ?? 0) - (column[b] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
