import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { Candidate, Position } from "../../../src/rendezvous/discovery/candidate.ts";
import { type Criteria, rank } from "../../../src/rendezvous/discovery/ranking.ts";
import { haversineKm, rankingFactors } from "../../../src/rendezvous/discovery/ranking_keys.ts";

interface Row {
  readonly name: string;
  readonly client?: [number, number];
  readonly candidates: readonly {
    serial: number;
    power?: number;
    backlog?: number;
    fingerprint?: string;
    availability?: number;
    lat?: number;
    lon?: number;
  }[];
  readonly criteria: { candidate_count: number; factors: string[]; minimal_health?: number } | null;
  readonly fingerprint: string;
  readonly expect: readonly number[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/behaviour.json", import.meta.url), "utf8"),
) as {
  ranking: Row[];
  haversine_km: { a: [number, number]; b: [number, number]; approx: number; tolerance: number }[];
};

const factorNumbers: Readonly<Record<string, number>> = {
  MAXIMUM_POWER_RESERVE: rankingFactors.maximumPowerReserve,
  MINIMUM_MAILBOX_BACKLOG: rankingFactors.minimumMailboxBacklog,
  EXACT_MATCH_FIRST: rankingFactors.exactMatchFirst,
  NEAREST: rankingFactors.nearest,
};

function position([latitude, longitude]: [number, number]): Position {
  return { latitude, longitude };
}

function candidate(row: Row["candidates"][number]): Candidate & { serial: number } {
  return {
    serial: row.serial,
    availability: row.availability,
    powerReserve: row.power,
    backlog: row.backlog,
    fingerprint: row.fingerprint,
    position:
      row.lat === undefined || row.lon === undefined ? undefined : position([row.lat, row.lon]),
  };
}

function criteria(row: Row["criteria"]): Criteria | undefined {
  if (row === null) return undefined;
  return {
    count: row.candidate_count,
    factors: row.factors.map((name) => factorNumbers[name] ?? assert.fail(name)),
    minimalHealth: row.minimal_health,
  };
}

const forOne = (row: Row): Criteria => ({ factors: [], ...criteria(row.criteria), count: 1 });

describe("rank", () => {
  for (const row of vectors.ranking) {
    it(`[V-behaviour.ranking] ${row.name}`, () => {
      const asker = {
        id: "",
        fingerprint: row.fingerprint,
        position: row.client === undefined ? undefined : position(row.client),
      };
      const ranked = rank(row.candidates.map(candidate), criteria(row.criteria), asker);
      assert.deepEqual(
        ranked.map((each) => each.serial),
        row.expect,
      );
      const { candidates } = row;
      const only = rank(candidates.map(candidate), forOne(row), asker);
      assert.deepEqual(
        only.map((each) => each.serial),
        row.expect.slice(0, 1),
      );
    });
  }

  const plain = { id: "1@1/acme:client:1.0.0", fingerprint: "" };

  it("keeps an unavailable candidate unless health is demanded", () => {
    const one: Candidate = { availability: 3 };
    assert.deepEqual(rank([one], { count: 1, factors: [] }, plain), [one]);
  });

  // Section 8.1, steps 2 and 3: the states that a demand lets through, the best first; "?" is unknown and counts as 2.
  const demands: readonly [minimum: number, admitted: string][] = [
    [0, "0"],
    [1, "01?"],
    [2, "012?"],
    [3, "012?3"],
  ];
  for (const [minimum, admitted] of demands) {
    for (const [state, demand] of [
      ["availability", "minimalHealth"],
      ["dependency", "minimalDependency"],
    ] as const) {
      it(`keeps ${admitted} when ${demand} is ${minimum}`, () => {
        const all: Candidate[] = [3, 2, undefined, 1, 0].map((value) => ({ [state]: value }));
        const ranked = rank(all, { count: 9, factors: [], [demand]: minimum }, plain);
        const found = ranked.map((each) => each[state] ?? "?").join("");
        assert.equal(found, admitted);
      });
    }
  }

  it("sorts by factors before demands, and by dependencies before health", () => {
    const weak: Candidate = { availability: 0, dependency: 0, powerReserve: 1 };
    const strong: Candidate = { availability: 1, dependency: 0, powerReserve: 5 };
    const loose: Candidate = { availability: 0, dependency: 1, powerReserve: 1 };
    const by = (...factors: number[]): Candidate[] =>
      rank(
        [loose, strong, weak],
        { count: 9, factors, minimalHealth: 1, minimalDependency: 1 },
        plain,
      );
    assert.deepEqual(by(rankingFactors.maximumPowerReserve), [strong, weak, loose]);
    assert.deepEqual(by(), [weak, strong, loose]);
  });

  it("returns nothing for a count of zero", () => {
    assert.deepEqual(rank([{}], { count: 0, factors: [] }, plain), []);
  });

  it("removes everyone of unknown dependencies when healthy ones are demanded", () => {
    assert.deepEqual(rank([{}], { count: 1, factors: [], minimalDependency: 0 }, plain), []);
    assert.equal(rank([{}], { count: 1, factors: [], minimalDependency: 1 }, plain).length, 1);
  });

  it("ignores factors that it does not know", () => {
    const both: Candidate[] = [{ powerReserve: 1 }, { powerReserve: 2 }];
    assert.deepEqual(rank(both, { count: 2, factors: [5, 99] }, plain), both);
  });

  it("puts placed candidates first when the asker's place is unknown", () => {
    const placed: Candidate = { position: position([1, 1]) };
    const ranked = rank([{}, placed], { count: 2, factors: [rankingFactors.nearest] }, plain);
    assert.equal(ranked[0], placed);
  });

  it("matches no fingerprint with an empty one", () => {
    const both: Candidate[] = [{}, { fingerprint: "" }];
    const factors = [rankingFactors.exactMatchFirst];
    assert.deepEqual(rank(both, { count: 2, factors }, { ...plain, fingerprint: " " }), both);
  });
});

describe("haversineKm", () => {
  for (const { a, b, approx, tolerance } of vectors.haversine_km) {
    it(`[V-behaviour.haversine_km] ${a} to ${b} is ${approx} km`, () => {
      const km = haversineKm(position(a), position(b));
      assert.ok(Math.abs(km - approx) <= tolerance, `${km}`);
    });
  }
});
