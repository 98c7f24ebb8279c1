import type { Member } from "./discovery/directory.ts";

/** Who wants to know when nodes of a type come up. Subscriptions end with the connection that made them. */
export class Presence<M extends Member> {
  readonly #byType = new Map<string, Set<M>>();
  readonly #typesOf = new Map<M, Set<string>>();
  readonly #maxPerMember: number;

  constructor(maxPerMember: number) {
    this.#maxPerMember = maxPerMember;
  }

  /** Adds a subscription, unless `member` has it, or as many as it may. */
  subscribe(member: M, type: string): "added" | "known" | "full" {
    const types = this.#typesOf.get(member) ?? new Set();
    if (types.has(type)) return "known";
    if (types.size >= this.#maxPerMember) return "full";
    this.#typesOf.set(member, types.add(type));
    const members = this.#byType.get(type) ?? new Set();
    this.#byType.set(type, members.add(member));
    return "added";
  }

  unsubscribe(member: M, type: string): void {
    this.#typesOf.get(member)?.delete(type);
    const members = this.#byType.get(type);
    members?.delete(member);
    if (members?.size === 0) this.#byType.delete(type);
  }

  /** Ends every subscription of `member`. */
  drop(member: M): void {
    for (const type of this.#typesOf.get(member) ?? []) this.unsubscribe(member, type);
    this.#typesOf.delete(member);
  }

  subscribers(type: string): Iterable<M> {
    return this.#byType.get(type) ?? [];
  }
}
