/** Counts by one label. */
export class Count {
  readonly #byLabel = new Map<string, number>();

  /** Counts one more. Labels must come from a fixed set: each is kept. */
  add(label: string): void {
    this.#byLabel.set(label, (this.#byLabel.get(label) ?? 0) + 1);
  }

  entries(): IterableIterator<[label: string, count: number]> {
    return this.#byLabel.entries();
  }
}

/** What a rendezvous has done since it started. */
export interface Tally {
  /** HTTP exchanges of the identity service, by name and code of the error inside; 200 for none. */
  readonly exchanges: Count;
  /** Signaling messages, by what they carried. */
  readonly messages: Count;
  /** Signaling messages that were answered with an error, by its code. */
  readonly refusals: Count;
}

/** Nothing done yet. */
export function newTally(): Tally {
  return { exchanges: new Count(), messages: new Count(), refusals: new Count() };
}
