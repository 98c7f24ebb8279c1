import type { Link } from "../ports/transport.ts";
import { withResolvers } from "../with_resolvers.ts";
import type { Peer } from "./peer.ts";

/** What is the same for all sessions of a node. */
export interface SessionRules {
  /** Whether this side may send requests on a link. */
  readonly carriesRequests: (link: Link) => boolean;
  /** The lower, the better a link is for requests. */
  readonly rank: (link: Link) => number;
  /** A session has a {@link Session.betterLink}. */
  readonly onBetter: (session: Session) => void;
  /** Requests have left one link for another. */
  readonly onMoved: (from: Link, to: Link) => void;
}

/** A link that may not work. */
interface Recovery {
  /** When requests stopped to leave on it, or it was asked for a proof, monotonic milliseconds. */
  readonly since: number;
  /** Whether it has been asked to prove that it works, and the network has not gone since. */
  readonly asked: boolean;
}

/** All links to one peer. */
export class Session {
  readonly peer: Peer;
  readonly #rules: SessionRules;
  readonly #links = new Set<Link>();
  readonly #recovering = new Map<Link, Recovery>();
  readonly #waiting = new Set<() => void>();
  #requestLink: Link | undefined;
  #hold: ReturnType<typeof withResolvers<void>> | undefined;
  /** Whether somebody has asked for a link to send requests on since {@link Session.takeUsed}. */
  #used = false;

  constructor(peer: Peer, rules: SessionRules) {
    this.peer = peer;
    this.#rules = rules;
  }

  /** The link that requests leave on, when there is one that works and requests are not held. */
  get requestLink(): Link | undefined {
    return this.#hold === undefined ? this.#requestLink : undefined;
  }

  /** The same, also while requests are held. */
  get carrier(): Link | undefined {
    return this.#requestLink;
  }

  /** {@link Session.requestLink} for a request that is to leave now. */
  use(): Link | undefined {
    this.#used = true;
    return this.requestLink;
  }

  /** Whether somebody wanted to send requests since the last time that this was asked. */
  takeUsed(): boolean {
    const used = this.#used;
    this.#used = false;
    return used;
  }

  /** A link that works and is better than the one that requests leave on. */
  get betterLink(): Link | undefined {
    const best = this.#best();
    const { rank } = this.#rules;
    if (best === undefined || this.#requestLink === undefined) return undefined;
    return rank(best) < rank(this.#requestLink) ? best : undefined;
  }

  /** While requests are held: resolves when they may leave again. */
  get held(): Promise<void> | undefined {
    return this.#hold?.promise;
  }

  get links(): ReadonlySet<Link> {
    return this.#links;
  }

  /** Since when requests wait for a link to work again, monotonic milliseconds; absent when one works, or none may. */
  get recoveringSince(): number | undefined {
    if (this.#requestLink !== undefined) return undefined;
    for (const [link, { since }] of this.#recovering) {
      if (this.#rules.carriesRequests(link)) return since;
    }
    return undefined;
  }

  /** Whether a link for requests is proving that it works, and has to be done with that soon: it does not tell by itself. */
  get proving(): boolean {
    for (const [link, { asked }] of this.#recovering) {
      if (asked && link.onWorking === undefined && this.#rules.carriesRequests(link)) return true;
    }
    return false;
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
      if (link.recover === undefined) continue;
      const since = this.#recovering.get(link)?.since ?? sinceMs;
      this.#recovering.set(link, { since, asked: false });
    }
    this.#changed();
  }

  /** Links that have to prove that they work; the time of those that have been asked before stays. */
  askForProof(nowMs: number): Link[] {
    for (const link of this.#links) {
      const recovery = this.#recovering.get(link);
      const isInDoubt = recovery !== undefined || link.recover !== undefined;
      if (!isInDoubt || recovery?.asked === true) continue;
      this.#recovering.set(link, { since: nowMs, asked: true });
    }
    this.#changed();
    return this.recovering;
  }

  /** Links that may not work. */
  get recovering(): Link[] {
    return [...this.#recovering.keys()];
  }

  /** A link has stopped to work, `sinceMs`, and will say when it works again. */
  suspend(link: Link, sinceMs: number): void {
    if (!this.#links.has(link) || this.#recovering.has(link)) return;
    this.#recovering.set(link, { since: sinceMs, asked: false });
    this.#changed();
  }

  /** Lets no request leave until {@link Session.release}. */
  hold(): void {
    this.#hold ??= withResolvers<void>();
  }

  /** Lets requests leave on the best link. */
  release(): void {
    const held = this.#hold;
    this.#hold = undefined;
    this.#leaveBy(this.#best());
    this.#changed();
    held?.resolve();
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
      this.#leaveBy(this.#best());
    }
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
    if (this.#hold === undefined && this.betterLink !== undefined) this.#rules.onBetter(this);
  }

  #leaveBy(link: Link | undefined): void {
    const before = this.#requestLink;
    this.#requestLink = link;
    if (before === undefined || link === undefined || before === link) return;
    this.#rules.onMoved(before, link);
  }

  /** The oldest of the best links that work. */
  #best(): Link | undefined {
    const { rank } = this.#rules;
    let best: Link | undefined;
    for (const link of this.#links) {
      if (this.#works(link) && (best === undefined || rank(link) < rank(best))) best = link;
    }
    return best;
  }

  #works(link: Link): boolean {
    return (
      this.#links.has(link) && !this.#recovering.has(link) && this.#rules.carriesRequests(link)
    );
  }
}
