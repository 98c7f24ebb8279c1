import { abortable } from "#async";
import { ActrError } from "../errors.ts";
import type { SessionOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link, PeerAddress, Transport } from "../ports/transport.ts";
import type { ActrId } from "../protocol/ids.ts";
import { abortAfter } from "../time_limit.ts";
import type { LinkCounts } from "./link_counts.ts";
import type { Peer } from "./peer.ts";
import type { Session } from "./session.ts";
import type { SessionEvents } from "./session_manager.ts";

/** Reason in the details of an error: there is no way to the peer, and none is on its way. */
export const noRoute = "no_route";

/** Whether an error says {@link noRoute}, so that nothing was sent. Details that a peer sends have other codes, and say what they like. */
export function isNoRoute({ code, details }: ActrError): boolean {
  return code === "unavailable" && details?.["reason"] === noRoute;
}

/** Finds out where a peer can be reached; `fresh` when the address known so far did not work. */
export type Resolve = (
  peer: ActrId,
  options: { readonly fresh: boolean; readonly signal: AbortSignal },
) => Promise<PeerAddress>;

/** Collaborators of {@link Dialer}. */
export interface DialerComponents {
  readonly clock: Clock;
  readonly transports: readonly Transport[];
  readonly resolve: Resolve;
  readonly events: Pick<SessionEvents, "connecting" | "unlinked">;
  readonly counts: LinkCounts;
  /** Takes a new link into the session of its peer. */
  readonly attach: (link: Link) => Session;
}

/** Opens links to peers: one dial per peer at a time, and one per peer and transport. */
export class Dialer {
  readonly #components: DialerComponents;
  readonly #options: Pick<SessionOptions, "dialTimeoutMs">;
  readonly #dials = new Map<string, Promise<Session>>();
  /** What transports are about, by transport and peer; one may go on when another has won. */
  readonly #openings = new Map<string, Promise<Session>>();
  #abort = new AbortController();
  #closed = false;

  constructor(components: DialerComponents, options: Pick<SessionOptions, "dialTimeoutMs">) {
    this.#components = components;
    this.#options = options;
  }

  /** The session of `peer`, with a new link; concurrent callers share it. @throws ActrError `unavailable`, with details `reason` {@link noRoute} when nobody knows the peer; `timed_out`; the reason of an abort. */
  dial(peer: ActrId, key: string): Promise<Session> {
    const running = this.#dials.get(key);
    if (running !== undefined) return running;
    const dial = this.#dial(peer, key).finally(() => this.#dials.delete(key));
    this.#dials.set(key, dial);
    return dial;
  }

  /** Dials a peer that is linked already by other transports too. Resolves when all of that has ended, however; never rejects. */
  async add({ id, key }: Peer, transports: readonly Transport[]): Promise<void> {
    const { clock, resolve } = this.#components;
    const limit = abortAfter(clock, this.#options.dialTimeoutMs, this.#abort.signal);
    try {
      const address = await resolve(id, { fresh: false, signal: limit.signal });
      const ways = transports.filter((each) => each.canDial(address));
      await Promise.allSettled(ways.map((transport) => this.#open(transport, address, key)));
    } catch {
      // Nobody knows the peer now: whoever tries next asks again.
    } finally {
      limit.cancel();
    }
  }

  /** Fails every dial under way with `reason`, and resolves when none of them is left. */
  async abort(reason: ActrError): Promise<void> {
    const dials = [...this.#dials.values(), ...this.#openings.values()];
    this.#abort.abort(reason);
    if (!this.#closed) this.#abort = new AbortController();
    await Promise.allSettled(dials);
  }

  /** Fails also every dial to come. */
  close(reason: ActrError): Promise<void> {
    this.#closed = true;
    return this.abort(reason);
  }

  async #dial(peer: ActrId, key: string): Promise<Session> {
    const { clock, resolve } = this.#components;
    const limit = abortAfter(clock, this.#options.dialTimeoutMs, this.#abort.signal);
    try {
      const known = await resolve(peer, { fresh: false, signal: limit.signal });
      try {
        return await abortable(this.#race(known, key), limit.signal);
      } catch (error) {
        // The peer may have moved since its address was learned; ask once more, and only dial a new address.
        const fresh = await resolve(peer, { fresh: true, signal: limit.signal });
        if (fresh.url === known.url) throw error;
        return await abortable(this.#race(fresh, key), limit.signal);
      }
    } finally {
      limit.cancel();
    }
  }

  /** Dials on every transport that knows a way; the first link wins, later ones join the session. */
  async #race(address: PeerAddress, key: string): Promise<Session> {
    const ways = this.#components.transports.filter((each) => each.canDial(address));
    if (ways.length === 0) {
      throw new ActrError(
        "unavailable",
        `no transport knows a way to ${key}: it is not connected, or advertises no address`,
        { details: { reason: noRoute } },
      );
    }
    try {
      return await Promise.any(ways.map((transport) => this.#open(transport, address, key)));
    } catch (error) {
      const first = error instanceof AggregateError ? error.errors[0] : error;
      throw ActrError.from(first, "unavailable");
    }
  }

  #open(transport: Transport, address: PeerAddress, key: string): Promise<Session> {
    const name = `${transport.name} ${key}`;
    const running = this.#openings.get(name);
    if (running !== undefined) return running;
    const opening = this.#openOne(transport, address).finally(() => this.#openings.delete(name));
    this.#openings.set(name, opening);
    return opening;
  }

  async #openOne(transport: Transport, address: PeerAddress): Promise<Session> {
    const { clock, events, counts, attach } = this.#components;
    const { signal, cancel } = abortAfter(clock, this.#options.dialTimeoutMs, this.#abort.signal);
    events.connecting(address.id, transport.name);
    try {
      const link = await transport.dial(address, { signal });
      if (signal.aborted) {
        void link.close("dialled too late");
        signal.throwIfAborted();
      }
      return attach(link);
    } catch (error) {
      counts.of(transport.name).failedDials += 1;
      const reason = error instanceof Error ? error.message : String(error);
      events.unlinked(address.id, transport.name, undefined, { by: "lost", reason });
      throw error;
    } finally {
      cancel();
    }
  }
}
