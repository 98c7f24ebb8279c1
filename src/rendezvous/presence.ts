import type { Member } from "./discovery/directory.ts";

/** The wish of one member to know of one type, as long as it lasts. */
export interface Subscription {
  ended: boolean;
}

/** Who wants to know when nodes of a type come up. Subscriptions end with the connection that made them. */
export class Presence<M extends Member> {
  readonly #byType = new Map<string, Set<M>>();
  readonly #typesOf = new Map<M, Map<string, Subscription>>();
  readonly #maxPerMember: number;

  constructor(maxPerMember: number) {
    this.#maxPerMember = maxPerMember;
  }

  /** Adds a subscription, unless `member` has it, or as many as it may. */
  subscribe(member: M, type: string): "added" | "known" | "full" {
    const types = this.#typesOf.get(member) ?? new Map<string, Subscription>();
    if (types.has(type)) return "known";
    if (types.size >= this.#maxPerMember) return "full";
    this.#typesOf.set(member, types.set(type, { ended: false }));
    const members = this.#byType.get(type) ?? new Set();
    this.#byType.set(type, members.add(member));
    return "added";
  }

  unsubscribe(member: M, type: string): void {
    const types = this.#typesOf.get(member);
    const subscription = types?.get(type);
    if (subscription !== undefined) subscription.ended = true;
    types?.delete(type);
    const members = this.#byType.get(type);
    members?.delete(member);
    if (members?.size === 0) this.#byType.delete(type);
  }

  /** Ends every subscription of `member`. */
  drop(member: M): void {
    for (const type of this.#typesOf.get(member)?.keys() ?? []) {
      this.unsubscribe(member, type);
    }
    this.#typesOf.delete(member);
  }

  /** The subscription of `member` to `type` that is there now. */
  subscription(member: M, type: string): Subscription | undefined {
    return this.#typesOf.get(member)?.get(type);
  }

  subscribers(type: string): Iterable<M> {
    return this.#byType.get(type) ?? [];
  }
}
