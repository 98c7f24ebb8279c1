import type { Link } from "../ports/transport.ts";
import type { Peer } from "./peer.ts";

/** All links to one peer. */
export class Session {
  readonly peer: Peer;
  readonly #links = new Set<Link>();
  #requestLink: Link | undefined;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  /** The link that requests leave on, when there is one. */
  get requestLink(): Link | undefined {
    return this.#requestLink;
  }

  get links(): ReadonlySet<Link> {
    return this.#links;
  }

  /** Takes a link in; `carriesRequests` when this side may send requests on it. */
  add(link: Link, carriesRequests: boolean): void {
    this.#links.add(link);
    if (carriesRequests) this.#requestLink ??= link;
  }

  /** Lets a link go; `next` is asked for another to send requests on. */
  remove(link: Link, next: (links: ReadonlySet<Link>) => Link | undefined): void {
    this.#links.delete(link);
    if (this.#requestLink === link) this.#requestLink = next(this.#links);
  }

  /** Where an answer goes: the link that the request came by while it lives, else any other. */
  replyLink(preferred: Link | undefined): Link | undefined {
    if (preferred !== undefined && this.#links.has(preferred)) return preferred;
    return this.#requestLink ?? this.#links.values().next().value;
  }
}
