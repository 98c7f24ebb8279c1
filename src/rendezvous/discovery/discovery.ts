import { formatActrId } from "../../protocol/ids.ts";
import type {
  DiscoveryRequest,
  GetServiceSpecRequest,
  RouteCandidatesRequest,
  ServiceLocation,
  ServiceSpec,
} from "../../protocol/schema.ts";
import { has } from "../messages.ts";
import { admits, type WithoutRules } from "./acl.ts";
import type { Candidate, Position } from "./candidate.ts";
import type { Directory, Member } from "./directory.ts";
import { type Criteria, rank } from "./ranking.ts";

/** What decides who is found. */
export interface DiscoveryRules {
  /** Who finds a node that registered without access rules. */
  readonly withoutRules: WithoutRules;
  /** Whether nodes of a realm may use this server. */
  readonly inUse: (realm: number) => boolean;
  /** Silence after which a node is not found, and age at which its report no longer counts, milliseconds. */
  readonly expiryMs: number;
}

type Ranked<M> = Candidate & { readonly member: M };

/** Finds nodes for those who ask. Nobody finds itself, nor anyone whose rules do not admit it. */
export class Discovery<M extends Member> {
  readonly #directory: Directory<M>;
  readonly #rules: DiscoveryRules;

  constructor(directory: Directory<M>, rules: DiscoveryRules) {
    this.#directory = directory;
    this.#rules = rules;
  }

  /** Nodes of exactly one type, ranked; equal ones take turns in front. `now` is monotonic milliseconds. */
  candidates(asker: M, type: string, request: RouteCandidatesRequest, now: number): M[] {
    const found = this.#visible(this.#directory.ofType(type), asker, now);
    const inTurn = rotate(found, this.#directory.nextTurn(type));
    const ranked = inTurn.map((member) => this.#ranked(member, now));
    const asking = {
      id: formatActrId(asker.id),
      fingerprint: request.clientFingerprint,
      position: positionOf(request.clientLocation),
    };
    return rank(ranked, criteria(request), asking).map(({ member }) => member);
  }

  /** For each type present, in the order of their texts, the node whose description stands for it. */
  types(asker: M, request: DiscoveryRequest, now: number): M[] {
    const found: M[] = [];
    for (const type of this.#directory.types()) {
      if (found.length >= request.limit) break;
      if (!isWanted(type, request)) continue;
      const visible = this.#visible(this.#directory.ofType(type), asker, now);
      const member = visible.find(({ profile }) => profile.spec !== undefined) ?? visible[0];
      if (member !== undefined) found.push(member);
    }
    return found;
  }

  /** The description with a name, of any node present. */
  spec(asker: M, { name }: GetServiceSpecRequest, now: number): ServiceSpec | undefined {
    for (const member of this.#directory.all()) {
      const { spec } = member.profile;
      if (spec?.name === name && this.sees(asker, member, now)) return spec;
    }
    return undefined;
  }

  /** Whether `member` was heard of lately, admits `asker`, and is of a realm that is in use, as that of `asker` is. */
  sees(asker: M, member: M, now: number): boolean {
    const { expiryMs, withoutRules, inUse } = this.#rules;
    if (now - member.heardAt > expiryMs || !admits(member, asker, withoutRules)) return false;
    return member.id.realm === asker.id.realm || inUse(member.id.realm);
  }

  #visible(members: Iterable<M>, asker: M, now: number): M[] {
    const visible: M[] = [];
    for (const member of members) {
      if (member.key !== asker.key && this.sees(asker, member, now)) visible.push(member);
    }
    return visible;
  }

  #ranked(member: M, now: number): Ranked<M> {
    const { load, profile, position } = member;
    const known = load !== undefined && now - load.at <= this.#rules.expiryMs ? load : undefined;
    return {
      member,
      availability: known?.availability,
      powerReserve: known?.powerReserve,
      backlog: known?.backlog,
      fingerprint: profile.spec?.fingerprint,
      position,
      stickyClients: known?.stickyClients,
    };
  }
}

function rotate<T>(list: readonly T[], turn: number): T[] {
  const start = list.length === 0 ? 0 : turn % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

function isWanted(type: string, request: DiscoveryRequest): boolean {
  if (!has(request, "manufacturer")) return true;
  return type.slice(0, type.indexOf(":")) === request.manufacturer;
}

function criteria({ criteria: wire }: RouteCandidatesRequest): Criteria | undefined {
  if (wire === undefined) return undefined;
  return {
    count: wire.candidateCount,
    factors: wire.rankingFactors,
    minimalHealth: given(wire, "minimalHealthRequirement"),
    minimalDependency: given(wire, "minimalDependencyRequirement"),
  };
}

/** A place that a message names; undefined unless it has both coordinates, on the globe. */
export function positionOf(place: ServiceLocation | undefined): Position | undefined {
  if (place === undefined || !has(place, "latitude") || !has(place, "longitude")) return undefined;
  const { latitude, longitude } = place;
  const onGlobe = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  return onGlobe ? { latitude, longitude } : undefined;
}

function given<T extends object, K extends keyof T>(message: T, field: K): T[K] | undefined {
  return has(message, field) ? message[field] : undefined;
}
