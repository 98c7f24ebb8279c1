/** Who holds fragments within a {@link ReassemblyBudget}. */
export interface ReassemblyHolder {
  /** Bytes held, overhead included. */
  readonly heldBytes: number;
  /** Gives up one unfinished message. */
  dropOldest(): void;
}

/** Bytes of unfinished messages that all peers together may hold. Who holds most loses first, so that one peer cannot cost the others theirs. */
export class ReassemblyBudget {
  readonly #maxBytes: number;
  readonly #holders = new Set<ReassemblyHolder>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held by all. */
  get heldBytes(): number {
    return this.#bytes;
  }

  join(holder: ReassemblyHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: ReassemblyHolder): void {
    this.#holders.delete(holder);
  }

  /** A holder holds this much more, or less. */
  changed(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Makes holders give up messages until all of it is within the limit. */
  shrink(): void {
    while (this.#bytes > this.#maxBytes) {
      const largest = this.#largest();
      if (largest === undefined) return;
      largest.dropOldest();
    }
  }

  #largest(): ReassemblyHolder | undefined {
    let largest: ReassemblyHolder | undefined;
    for (const holder of this.#holders) {
      if (holder.heldBytes > (largest?.heldBytes ?? 0)) largest = holder;
    }
    return largest;
  }
}
