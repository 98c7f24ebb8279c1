import { abortable } from "#async";
import { ActrError } from "../errors.ts";
import type { SessionOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Link, LinkClosed, PeerAddress, Transport } from "../ports/transport.ts";
import type { Frame } from "../protocol/frame.ts";
import type { ActrId } from "../protocol/ids.ts";
import { abortAfter } from "../time_limit.ts";
import { Peer } from "./peer.ts";
import { Session } from "./session.ts";

/** What a session manager tells the node. */
export interface SessionEvents {
  /** One frame of a verified peer, in order per link. A returned promise holds back that link's next frame. */
  frame(frame: Frame, peer: Peer, link: Link): void | Promise<void>;
  /** A dial begins. */
  connecting(peer: ActrId, transport: string): void;
  linked(peer: ActrId, link: Link): void;
  /** A link, or a dial that was announced by `connecting`, has ended. */
  unlinked(peer: ActrId, transport: string, link: Link | undefined, end: LinkClosed): void;
}

/** Collaborators of {@link SessionManager}. */
export interface SessionComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly transports: readonly Transport[];
  /** Finds out where a peer can be reached; `fresh` when the address known so far did not work. */
  readonly resolve: (
    peer: ActrId,
    options: { readonly fresh: boolean; readonly signal: AbortSignal },
  ) => Promise<PeerAddress>;
  readonly events: SessionEvents;
}

/** Reason in the details of an error: there is no way to the peer, and none is on its way. */
export const noRoute = "no_route";

/** The sessions of a node: opens them on demand, one dial per peer at a time, and drops them when they are dead. */
export class SessionManager {
  readonly #components: SessionComponents;
  readonly #options: SessionOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #dials = new Map<string, Promise<Session>>();
  readonly #stopped = new AbortController();
  readonly #transports: ReadonlyMap<string, Transport>;

  constructor(components: SessionComponents, options: SessionOptions) {
    this.#components = components;
    this.#options = options;
    this.#transports = new Map(components.transports.map((each) => [each.name, each]));
  }

  /** Sessions with at least one link. */
  get size(): number {
    return this.#sessions.size;
  }

  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  session(key: string): Session | undefined {
    return this.#sessions.get(key);
  }

  /** A link ready to send requests to a peer, without waiting. */
  requestLink(key: string): Link | undefined {
    return this.#sessions.get(key)?.requestLink;
  }

  /**
   * A link to send requests to `peer`, dialled when there is none; concurrent callers share one dial.
   * @throws ActrError `unavailable`, with details `reason` {@link noRoute} when nobody knows the peer; `overloaded`; the signal's reason.
   */
  async acquire(peer: ActrId, key: string, signal: AbortSignal): Promise<Link> {
    const ready = this.requestLink(key);
    if (ready !== undefined) return ready;
    signal.throwIfAborted();
    const session = await abortable(this.#dialOnce(peer, key), signal);
    const link = session.requestLink;
    if (link === undefined) {
      throw new ActrError("unavailable", `the link to ${key} closed at once; try again`);
    }
    return link;
  }

  /** Takes in a link that a peer opened. */
  accept(link: Link): void {
    const peer = new Peer(link.peer);
    if (this.#stopped.signal.aborted || !this.#hasRoom(peer.key)) {
      void link.close("no room for another session");
      return;
    }
    this.#attach(link, peer);
  }

  /** Closes every link, gracefully within each link's own bound; new ones may come. */
  async closeAll(reason: string): Promise<void> {
    const links = [...this.#sessions.values()].flatMap((session) => [...session.links]);
    await Promise.allSettled(links.map((link) => link.close(reason)));
  }

  /** Closes every link and refuses new ones. */
  async close(reason: string): Promise<void> {
    this.#stopped.abort(new ActrError("stopping", reason));
    await Promise.allSettled(this.#dials.values());
    await this.closeAll(reason);
  }

  #hasRoom(key: string): boolean {
    return this.#sessions.has(key) || this.#sessions.size < this.#options.maxSessions;
  }

  #dialOnce(peer: ActrId, key: string): Promise<Session> {
    const running = this.#dials.get(key);
    if (running !== undefined) return running;
    const dial = this.#dial(peer, key).finally(() => this.#dials.delete(key));
    this.#dials.set(key, dial);
    return dial;
  }

  async #dial(peer: ActrId, key: string): Promise<Session> {
    if (!this.#hasRoom(key)) {
      throw new ActrError("overloaded", `${this.#sessions.size} sessions are open; try later`, {
        retryAfterMs: 1000,
      });
    }
    const limit = abortAfter(
      this.#components.clock,
      this.#options.dialTimeoutMs,
      this.#stopped.signal,
    );
    try {
      const { resolve } = this.#components;
      const known = await resolve(peer, { fresh: false, signal: limit.signal });
      try {
        return await this.#race(known, key, limit.signal);
      } catch (error) {
        // The peer may have moved since its address was learned; ask once more, and only dial a new address.
        const fresh = await resolve(peer, { fresh: true, signal: limit.signal });
        if (fresh.url === known.url) throw error;
        return await this.#race(fresh, key, limit.signal);
      }
    } finally {
      limit.cancel();
    }
  }

  /** Dials on every transport that knows a way; the first link wins, later ones join the session. */
  async #race(address: PeerAddress, key: string, signal: AbortSignal): Promise<Session> {
    const ways = this.#components.transports.filter((each) => each.canDial(address));
    if (ways.length === 0) {
      throw new ActrError(
        "unavailable",
        `no transport knows a way to ${key}: it is not connected, or advertises no address`,
        { details: { reason: noRoute } },
      );
    }
    try {
      return await Promise.any(ways.map((transport) => this.#open(transport, address, signal)));
    } catch (error) {
      const first = error instanceof AggregateError ? error.errors[0] : error;
      throw ActrError.from(first, "unavailable");
    }
  }

  async #open(transport: Transport, address: PeerAddress, signal: AbortSignal): Promise<Session> {
    const { events } = this.#components;
    events.connecting(address.id, transport.name);
    try {
      const link = await transport.dial(address, { signal });
      if (signal.aborted) {
        void link.close("dialled too late");
        signal.throwIfAborted();
      }
      return this.#attach(link, new Peer(link.peer));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      events.unlinked(address.id, transport.name, undefined, { by: "lost", reason });
      throw error;
    }
  }

  #attach(link: Link, peer: Peer): Session {
    let session = this.#sessions.get(peer.key);
    if (session === undefined) {
      session = new Session(peer);
      this.#sessions.set(peer.key, session);
    }
    session.add(link, this.#carriesRequests(link));
    this.#components.events.linked(peer.id, link);
    void this.#read(link, session.peer);
    void link.closed.then((end) => this.#detach(link, peer, end));
    return session;
  }

  #detach(link: Link, peer: Peer, end: LinkClosed): void {
    const session = this.#sessions.get(peer.key);
    if (session?.links.has(link) === true) {
      session.remove(link, (links) => [...links].find((each) => this.#carriesRequests(each)));
      if (session.links.size === 0) this.#sessions.delete(peer.key);
    }
    this.#components.events.unlinked(peer.id, link.transport, link, end);
  }

  async #read(link: Link, peer: Peer): Promise<void> {
    const { events, log } = this.#components;
    try {
      for await (const first of link.frames) {
        for (let frame: Frame | undefined = first; frame !== undefined; ) {
          const wait = events.frame(frame, peer, link);
          if (wait !== undefined) await wait;
          frame = link.frames.poll();
        }
      }
    } catch (error) {
      log.error("session.read_failed", { peer: peer.key, transport: link.transport, error });
      await link.close("reading failed");
    }
  }

  #carriesRequests(link: Link): boolean {
    return (
      link.direction === "outbound" ||
      this.#transports.get(link.transport)?.capabilities.bidirectional === true
    );
  }
}
