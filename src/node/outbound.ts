import { ActrError } from "../errors.ts";
import type { NodeOptions } from "../options.ts";
import { Caller } from "../outbound/caller.ts";
import type { Link, Transport } from "../ports/transport.ts";
import type { Frame } from "../protocol/frame.ts";
import { Deadlines } from "../session/deadlines.ts";
import type { Peer } from "../session/peer.ts";
import { PendingCalls } from "../session/pending_calls.ts";
import { SessionManager } from "../session/session_manager.ts";
import type { HookQueue } from "./hooks.ts";
import { linkHooks } from "./link_hooks.ts";
import type { NodeComponents } from "./node_components.ts";
import type { PeerDirectory } from "./peer_directory.ts";

/** What the outbound side is built from. */
export interface OutboundParts {
  readonly components: NodeComponents;
  readonly options: NodeOptions;
  readonly transports: readonly Transport[];
  readonly directory: PeerDirectory;
  readonly hooks: HookQueue;
  readonly onFrame: (frame: Frame, peer: Peer, link: Link) => void;
}

/** The way of a call to a peer, put together: caller → pending calls → sessions → links. */
export class Outbound {
  readonly caller: Caller;
  readonly sessions: SessionManager;
  readonly pending: PendingCalls;
  readonly #deadlines: Deadlines;

  constructor(parts: OutboundParts) {
    const { components, options, transports, directory, hooks, onFrame } = parts;
    const { clock, random, log, tracer } = components;
    this.pending = new PendingCalls(options.outbound.maxPending);
    this.#deadlines = new Deadlines(clock);
    this.sessions = new SessionManager(
      {
        clock,
        log,
        transports,
        resolve: (peer, bounds) => directory.resolve(peer, bounds),
        events: {
          frame: onFrame,
          ...linkHooks({
            clock,
            hooks,
            onEnded: (link, reason) => this.pending.disconnected(link, reason),
          }),
        },
      },
      options.session,
    );
    const { sessions, pending } = this;
    const plumbing = { clock, sessions, pending, deadlines: this.#deadlines };
    this.caller = new Caller({ plumbing, random, tracer }, options.outbound);
  }

  /** Fails what waits, closes every link. */
  async close(reason: string): Promise<void> {
    this.pending.failAll(new ActrError("stopping", reason));
    await this.sessions.close(reason);
    this.#deadlines.close();
  }
}
