/** How many nodes one may have reached and still be answered by; beyond, the one reached longest ago is forgotten. */
const maxInvited = 1024;

/**
 * Which nodes were reached by which: whoever was reached may answer, whatever the rules of the other say
 * (`spec/protocol.md` §14.2). By `peerKey`, not by connection: sessions between nodes outlive those, and with them
 * the need to answer.
 */
export class Invitations {
  /** Who reached anybody last stands last. */
  readonly #byInviter = new Map<string, Set<string>>();
  readonly #maxInviters: number;

  constructor(maxInviters: number) {
    this.#maxInviters = maxInviters;
  }

  /** `inviter` reached `invited`. */
  add(inviter: string, invited: string): void {
    const all = this.#byInviter.get(inviter) ?? new Set();
    all.delete(invited);
    all.add(invited);
    dropFirst(all, maxInvited);
    this.#byInviter.delete(inviter);
    this.#byInviter.set(inviter, all);
    dropFirst(this.#byInviter, this.#maxInviters);
  }

  has(inviter: string, invited: string): boolean {
    return this.#byInviter.get(inviter)?.has(invited) ?? false;
  }

  /** Forgets whom `inviter` reached: it has left for good. */
  drop(inviter: string): void {
    this.#byInviter.delete(inviter);
  }
}

function dropFirst(all: Map<string, unknown> | Set<string>, max: number): void {
  if (all.size <= max) return;
  for (const first of all.keys()) {
    all.delete(first);
    return;
  }
}
