import type { Link } from "../ports/transport.ts";
import type { Peer } from "./peer.ts";

/** All links to one peer. */
export class Session {
  readonly peer: Peer;
  readonly #carriesRequests: (link: Link) => boolean;
  readonly #links = new Set<Link>();
  /** Links that may not work since the network changed, and since when, monotonic milliseconds. */
  readonly #recovering = new Map<Link, number>();
  readonly #waiting = new Set<() => void>();
  #requestLink: Link | undefined;

  /** @param carriesRequests whether this side may send requests on a link. */
  constructor(peer: Peer, carriesRequests: (link: Link) => boolean) {
    this.peer = peer;
    this.#carriesRequests = carriesRequests;
  }

  /** The link that requests leave on, when there is one that works. */
  get requestLink(): Link | undefined {
    return this.#requestLink;
  }

  get links(): ReadonlySet<Link> {
    return this.#links;
  }

  /** Since when requests wait for a link to work again, monotonic milliseconds; absent when one works, or none may. */
  get recoveringSince(): number | undefined {
    if (this.#requestLink !== undefined) return undefined;
    for (const [link, since] of this.#recovering) {
      if (this.#carriesRequests(link)) return since;
    }
    return undefined;
  }

  /** Takes a link in. */
  add(link: Link): void {
    this.#links.add(link);
    this.#changed();
  }

  /** Lets a link go. */
  remove(link: Link): void {
    this.#links.delete(link);
    this.#recovering.delete(link);
    this.#changed();
  }

  /** Sends no requests on any link of now that the network may take with it; the time of one that recovers already stays. */
  guard(sinceMs: number): void {
    for (const link of this.#links) {
      if (link.recover === undefined || this.#recovering.has(link)) continue;
      this.#recovering.set(link, sinceMs);
    }
    this.#changed();
  }

  /** Links that recover, from now on as of `sinceMs`. */
  recovering(sinceMs: number): Link[] {
    const links = [...this.#recovering.keys()];
    for (const link of links) this.#recovering.set(link, sinceMs);
    return links;
  }

  /** A link works again. */
  recovered(link: Link): void {
    this.#recovering.delete(link);
    this.#changed();
  }

  /** Resolves at the next change of its links. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Where an answer goes: the link that the request came by while it lives, else any other. */
  replyLink(preferred: Link | undefined): Link | undefined {
    if (preferred !== undefined && this.#links.has(preferred)) return preferred;
    return this.#requestLink ?? this.#links.values().next().value;
  }

  #changed(): void {
    if (this.#requestLink === undefined || !this.#works(this.#requestLink)) {
      this.#requestLink = [...this.#links].find((link) => this.#works(link));
    }
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #works(link: Link): boolean {
    return this.#links.has(link) && !this.#recovering.has(link) && this.#carriesRequests(link);
  }
}
