import type { ResolvedRule } from "../../protocol/acl.ts";
import type { ActrId } from "../../protocol/ids.ts";
import type { Acl, ServiceSpec } from "../../protocol/schema.ts";
import type { Position } from "./candidate.ts";

/** What a node told about itself when it registered. */
export interface Profile {
  /** Who may find and reach it; absent when it registered without. */
  readonly acl?: Acl;
  readonly spec?: ServiceSpec;
  /** Where it can be reached directly. */
  readonly wsAddress?: string;
}

/** What a node reported last (`spec/protocol.md` §2.5, Ping). */
export interface LoadReport {
  readonly availability: number;
  readonly powerReserve: number;
  /** Share of the mailbox in use, 0 to 1. */
  readonly backlog: number;
  /** Texts of the ActrIds that it wants to go on serving. */
  readonly stickyClients?: ReadonlySet<string>;
  /** When, in milliseconds of the monotonic clock. */
  readonly at: number;
}

/** A connected node, as others find it. */
export interface Member {
  readonly id: ActrId;
  /** Its `peerKey`: what relays are routed by (`spec/protocol.md` §3.3). */
  readonly key: string;
  /** Text form of its type. */
  readonly type: string;
  readonly profile: Profile;
  /** The profile's access rules, read once; absent when it has none. */
  readonly rules: readonly ResolvedRule[] | undefined;
  readonly load: LoadReport | undefined;
  /** Where it said to be when it last looked for others. */
  readonly position?: Position | undefined;
  /** When anything was heard of it, in milliseconds of the monotonic clock. */
  readonly heardAt: number;
}

interface Group<M> {
  readonly members: Set<M>;
  turn: number;
}

/** The nodes that are connected now, by identity and by type, in the order in which they came. */
export class Directory<M extends Member> {
  readonly #byKey = new Map<string, M>();
  readonly #byType = new Map<string, Group<M>>();
  /** Sorted; undefined when a type has come or gone since. */
  #types: readonly string[] | undefined;

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): M | undefined {
    return this.#byKey.get(key);
  }

  /** Whether `member` itself, not only its identity, is here. */
  has(member: M): boolean {
    return this.#byKey.get(member.key) === member;
  }

  /** Adds a member; returns the one that it takes the place of. */
  add(member: M): M | undefined {
    const displaced = this.#byKey.get(member.key);
    if (displaced !== undefined) this.remove(displaced);
    this.#byKey.set(member.key, member);
    this.#group(member.type).members.add(member);
    return displaced;
  }

  /** Removes a member; false when it is not, or no longer, here. */
  remove(member: M): boolean {
    if (!this.has(member)) return false;
    this.#byKey.delete(member.key);
    const group = this.#byType.get(member.type);
    group?.members.delete(member);
    if (group?.members.size === 0) {
      this.#byType.delete(member.type);
      this.#types = undefined;
    }
    return true;
  }

  all(): Iterable<M> {
    return this.#byKey.values();
  }

  /** Texts of the types present, in their order. */
  types(): readonly string[] {
    this.#types ??= [...this.#byType.keys()].sort();
    return this.#types;
  }

  ofType(type: string): Iterable<M> {
    return this.#byType.get(type)?.members ?? [];
  }

  /** Counts the questions for a type, so that equal candidates take turns. */
  nextTurn(type: string): number {
    const group = this.#byType.get(type);
    return group === undefined ? 0 : group.turn++;
  }

  #group(type: string): Group<M> {
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const group = { members: new Set<M>(), turn: 0 };
    this.#byType.set(type, group);
    this.#types = undefined;
    return group;
  }
}
