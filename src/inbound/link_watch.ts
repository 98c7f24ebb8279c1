import type { Link } from "../ports/transport.ts";

/** Tells many that a connection is lost, at the cost of one reaction for each connection, however many come and go. */
export class LinkWatch {
  readonly #watching = new WeakMap<Link, Set<() => void>>();

  /** Calls `lost` when `link` ends, unless what is returned is called before. */
  add(link: Link, lost: () => void): () => void {
    const known = this.#watching.get(link);
    const watching = known ?? new Set();
    watching.add(lost);
    if (known === undefined) {
      this.#watching.set(link, watching);
      void link.closed.then(() => {
        for (const tell of watching) tell();
      });
    }
    return () => void watching.delete(lost);
  }
}
