import { abortable } from "#async";
import { ActrError } from "../errors.ts";
import type { SessionState } from "../identity/session_state.ts";
import type { SessionOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { Link, LinkClosed, Transport } from "../ports/transport.ts";
import type { Frame } from "../protocol/frame.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { Barrier } from "./barrier.ts";
import { Dialer, type Resolve } from "./dialer.ts";
import { LinkCounts } from "./link_counts.ts";
import { LinkMigration } from "./link_migration.ts";
import { LinkReader } from "./link_reader.ts";
import { LinkRecovery } from "./link_recovery.ts";
import { LinkUpgrades } from "./link_upgrades.ts";
import { local, localLinks } from "./local_link.ts";
import { Peer } from "./peer.ts";
import { Session, type SessionRules } from "./session.ts";

/** How long a link that is to be replaced may take to send what it holds, milliseconds (`spec/transport.md` §6.10: the closing of a connection). */
const resetMs = 500;

/** How a link has ended for its session. */
export interface LinkEnd extends LinkClosed {
  /** This side ended it in haste, since it may not have worked: what was sent on it last may be lost. */
  readonly abandoned?: boolean;
}

/** What a session manager tells the node. */
export interface SessionEvents {
  /** One frame of a verified peer, in order per link, or per lane where lanes do not wait for each other. A returned promise holds back the next. */
  frame(frame: Frame, peer: Peer, link: Link): void | Promise<void>;
  /** A dial begins. */
  connecting(peer: ActrId, transport: string): void;
  linked(peer: ActrId, link: Link): void;
  /** A link has stopped to work though it has not ended, or works again. */
  working?(peer: ActrId, link: Link, works: boolean): void;
  /** A link, or a dial that was announced by `connecting`, has ended. */
  unlinked(peer: ActrId, transport: string, link: Link | undefined, end: LinkEnd): void;
  /** A link has ended, and every frame that it brought has been handed over. */
  exhausted(peer: Peer, link: Link): void;
}

/** Collaborators of {@link SessionManager}. */
export interface SessionComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The ways to peers, the best first: requests leave on a link of the best that works. */
  readonly transports: readonly Transport[];
  readonly resolve: Resolve;
  readonly events: SessionEvents;
  /** This node's identity; without one, requests may always leave. */
  readonly identity?: SessionState;
}

/** The sessions of a node: opens them on demand, drops them when they are dead, and says when requests may not leave. */
export class SessionManager {
  /** While it is up, requests wait. */
  readonly barrier: Barrier;
  /** What became of the links of each transport. */
  readonly counts: LinkCounts = new LinkCounts();
  readonly #components: SessionComponents;
  readonly #options: SessionOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #transports: ReadonlyMap<string, Transport>;
  readonly #rules: SessionRules;
  readonly #reader: LinkReader;
  readonly #dialer: Dialer;
  readonly #recovery: LinkRecovery;
  readonly #abandoned = new WeakSet<Link>();
  readonly #upgrades: LinkUpgrades;
  #closed = false;

  constructor(components: SessionComponents, options: SessionOptions) {
    this.#components = components;
    this.#options = options;
    this.#transports = new Map(components.transports.map((each) => [each.name, each]));
    this.#rules = this.#makeRules();
    this.#reader = new LinkReader(components);
    this.barrier = new Barrier(components.clock);
    this.#recovery = new LinkRecovery({
      clock: components.clock,
      sessions: this.#sessions,
      drop: (session, link) => this.#drop(session, link, "lost with the network"),
    });
    const { counts } = this;
    this.#dialer = new Dialer(
      { ...components, counts, attach: (link) => this.#attach(link) },
      options,
    );
    this.#upgrades = new LinkUpgrades({
      ...components,
      wants: (session) => this.#betterWays(session).length > 0,
      dial: (session) => this.#dialer.add(session.peer, this.#betterWays(session)),
    });
  }

  /** Sessions with at least one link. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Counts this node's ActrIds: a request that began under one must not be repeated under the next. */
  get generation(): number {
    return this.#components.identity?.current.generation ?? 1;
  }

  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  session(key: string): Session | undefined {
    return this.#sessions.get(key);
  }

  /** A link ready to send requests to a peer now, without waiting. */
  requestLink(key: string): Link | undefined {
    return this.#mayLeave() ? this.#sessions.get(key)?.use() : undefined;
  }

  /**
   * A link to send requests to `peer`, dialled when there is none; concurrent callers share one dial.
   * @param patient waits for links that recover, as a repeated request may, instead of refusing at once.
   * @throws ActrError `unavailable`, with details `reason` `no_route` when nobody knows the peer; `overloaded`;
   * `connection_not_ready` while this node has no standing, or links recover; the signal's reason.
   */
  async acquire(
    peer: ActrId,
    key: string,
    signal: AbortSignal,
    { patient = false }: { readonly patient?: boolean } = {},
  ): Promise<Link> {
    const ready = this.requestLink(key);
    if (ready !== undefined) return ready;
    signal.throwIfAborted();
    if (this.barrier.up) await this.barrier.passed(signal);
    this.#components.identity?.assertUsable(this.generation);
    await released(this.#sessions.get(key), signal);
    const settled = await this.#recovery.settled(key, patient, signal);
    if (settled !== undefined) return settled;
    const session = await abortable(this.#dial(peer, key), signal);
    await released(session, signal);
    const link = session.requestLink;
    if (link === undefined) {
      throw new ActrError("unavailable", `the link to ${key} closed at once; try again`);
    }
    return link;
  }

  /** @throws ActrError `connection_not_ready` when this node has another ActrId than under `generation`. */
  assertSame(generation: number): void {
    if (generation !== this.generation) this.#components.identity?.assertUsable(generation);
  }

  /** How many frames `link` has brought so far, for {@link dropSilent}. */
  arrivedOn(link: Link): number {
    return this.#reader.arrivedOn(link);
  }

  /**
   * A call got no answer in time. A link that has brought nothing at all since then, when `arrived` frames had come, is
   * probably dead: it is closed, so that the next request finds another. One that brought anything is alive and stays,
   * so that one slow handler does not harm other calls. No other link of the peer is touched.
   */
  dropSilent(link: Link, arrived: number): void {
    if (!this.#reader.isSilent(link, arrived)) return;
    const session = this.#sessions.get(formatActrId(link.peer));
    if (session?.links.has(link) !== true || link.transport === local) return;
    this.#components.log.info("session.silent_link_closed", {
      peer: session.peer.key,
      transport: link.transport,
    });
    this.#drop(session, link, "silent since an unanswered request");
  }

  /** Takes in a link that a peer opened. */
  accept(link: Link): void {
    if (this.#closed || !this.#hasRoom(new Peer(link.peer).key)) {
      void link.close("no room for another session");
      return;
    }
    this.#attach(link);
  }

  /** The network may have gone: no request leaves on a link of now before it is known to work. */
  guard(): void {
    this.#recovery.guard();
  }

  /** The network is another one, or back: has every link prove that it works, and drops those that do not. */
  recover(): void {
    this.#recovery.prove();
    this.#upgrades.hurry();
  }

  /** Ends every dial and link, without much waiting for what does not leave; new ones may come. */
  async reset(reason: string): Promise<void> {
    await this.#dialer.abort(new ActrError("unavailable", reason));
    await Promise.allSettled(this.#links().map((link) => this.#abandon(link, reason, resetMs)));
  }

  /** Closes every link, gracefully within each link's own bound; new ones may come. */
  async closeAll(reason: string): Promise<void> {
    await Promise.allSettled(this.#links().map((link) => link.close(reason)));
  }

  /** Closes every link and refuses new ones. */
  async close(reason: string): Promise<void> {
    this.#closed = true;
    await this.#dialer.close(new ActrError("stopping", reason));
    await this.closeAll(reason);
  }

  #links(): Link[] {
    return [...this.#sessions.values()].flatMap((session) => [...session.links]);
  }

  #mayLeave(): boolean {
    const { identity } = this.#components;
    return !this.barrier.up && (identity === undefined || identity.phase === "active");
  }

  #hasRoom(key: string): boolean {
    return this.#sessions.has(key) || this.#sessions.size < this.#options.maxSessions;
  }

  async #dial(peer: ActrId, key: string): Promise<Session> {
    if (this.#isSelf(key)) return this.#attachSelf(peer);
    if (this.#hasRoom(key)) return await this.#dialer.dial(peer, key);
    throw new ActrError("overloaded", `${this.#sessions.size} sessions are open; try later`, {
      retryAfterMs: 1000,
    });
  }

  #isSelf(key: string): boolean {
    const { identity } = this.#components;
    return identity !== undefined && formatActrId(identity.current.id) === key;
  }

  /** A node reaches itself without any transport. */
  #attachSelf(self: ActrId): Session {
    const [outbound, inbound] = localLinks(self);
    this.#attach(inbound);
    return this.#attach(outbound);
  }

  /** Lets a link go that does not work, at once: what the peer sent while it closed would be lost. */
  #drop(session: Session, link: Link, reason: string): void {
    this.#forget(session, link);
    void this.#abandon(link, reason, 0);
  }

  #abandon(link: Link, reason: string, withinMs: number): Promise<void> {
    this.#abandoned.add(link);
    return link.close(reason, { withinMs });
  }

  #attach(link: Link): Session {
    const peer = new Peer(link.peer);
    let session = this.#sessions.get(peer.key);
    // Where both sides dial at once, both get the link that the peer is also told to have opened.
    if (session?.links.has(link)) return session;
    if (session === undefined) {
      session = new Session(peer, this.#rules);
      this.#sessions.set(peer.key, session);
    }
    session.add(link);
    this.counts.opened(link);
    this.#components.events.linked(peer.id, link);
    link.onWorking?.((works) => this.#working(link, peer, works));
    void this.#reader.read(link, session.peer);
    void link.closed.then((end) => this.#detach(session, link, end));
    this.#upgrades.look(session);
    return session;
  }

  #detach(session: Session, link: Link, end: LinkClosed): void {
    this.#forget(session, link);
    const abandoned = this.#abandoned.has(link);
    this.counts.closed(link, abandoned ? "lost" : end.by);
    this.#components.events.unlinked(link.peer, link.transport, link, { ...end, abandoned });
  }

  #forget(session: Session, link: Link): void {
    if (!session.links.has(link)) return;
    session.remove(link);
    if (session.links.size === 0) this.#sessions.delete(session.peer.key);
    this.#upgrades.look(session);
  }

  #working(link: Link, { id, key }: Peer, works: boolean): void {
    const session = this.#sessions.get(key);
    if (session?.links.has(link) !== true) return;
    if (!works) this.counts.of(link.transport).interruptions += 1;
    if (works) session.recovered(link);
    else session.suspend(link, this.#components.clock.monotonic());
    this.#upgrades.look(session);
    this.#components.events.working?.(id, link, works);
  }

  #makeRules(): SessionRules {
    const migration = new LinkMigration((session, link) =>
      this.#drop(session, link, "silent while requests moved to a better link"),
    );
    const names = [...this.#transports.keys()];
    const rank = (link: Link): number => names.indexOf(link.transport);
    return {
      carriesRequests: (link) => this.#carriesRequests(link),
      rank,
      onBetter: (session) => void migration.move(session),
      onMoved: (from, to) => this.counts.moved(to, rank(to) < rank(from) ? "better" : "fallback"),
    };
  }

  /** Transports better than the one that requests leave by, of which the session has no link. */
  #betterWays({ carrier, links }: Session): Transport[] {
    if (carrier === undefined) return [];
    const ways = [...this.#transports.values()];
    const better = ways.slice(0, Math.max(0, this.#rules.rank(carrier)));
    return better.filter(({ name }) => ![...links].some(({ transport }) => transport === name));
  }

  #carriesRequests(link: Link): boolean {
    return (
      link.direction === "outbound" ||
      link.duplex === true ||
      this.#transports.get(link.transport)?.capabilities.bidirectional === true
    );
  }
}

/** Waits while requests of a session are held. @throws the signal's reason. */
async function released(session: Session | undefined, signal: AbortSignal): Promise<void> {
  while (session?.held !== undefined) await abortable(session.held, signal);
}
