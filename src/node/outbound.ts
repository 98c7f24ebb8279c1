import { ActrError } from "../errors.ts";
import type { SessionState } from "../identity/session_state.ts";
import type { LiveTrack, MediaSample } from "../media.ts";
import type { NodeOptions } from "../options.ts";
import { Caller } from "../outbound/caller.ts";
import type { Link, Transport } from "../ports/transport.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { Deadlines } from "../session/deadlines.ts";
import { PendingCalls } from "../session/pending_calls.ts";
import { type SessionEvents, SessionManager } from "../session/session_manager.ts";
import { YieldBudget } from "../session/yield_budget.ts";
import { ChunkSender } from "../streams/chunk_sender.ts";
import { MediaSender } from "../streams/media_sender.ts";
import { uncertainDeliveryEvent } from "./error_events.ts";
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
  readonly session: SessionState;
  readonly onFrame: SessionEvents["frame"];
  /** Told of each sample of a peer's media tracks. */
  readonly onSample: (trackId: string, sample: MediaSample, sender: ActrId) => void;
  /** Told of each live track of a peer, with the signal of its end. */
  readonly onLive: (id: string, track: LiveTrack, sender: ActrId, ended: AbortSignal) => void;
  /** Told when everything that a lost link brought has been handed over. */
  readonly onExhausted: SessionEvents["exhausted"];
}

/** The way of a call or chunk to a peer, put together: caller → pending calls → sessions → links. */
export class Outbound {
  readonly caller: Caller;
  readonly sessions: SessionManager;
  readonly pending: PendingCalls;
  readonly chunks: ChunkSender;
  readonly media: MediaSender;
  readonly #deadlines: Deadlines;

  constructor(parts: OutboundParts) {
    const { components, options, transports, directory, hooks, session } = parts;
    const { clock, random, log, tracer } = components;
    this.pending = new PendingCalls(options.outbound.maxPending);
    this.#deadlines = new Deadlines(clock);
    const notices = linkHooks({
      clock,
      hooks,
      onEnded: (link, end) => {
        this.pending.disconnected(link, end.reason);
        this.chunks.disconnected(link, end);
      },
      onStopped: (link) => this.#goAround(link),
    });
    this.sessions = new SessionManager(
      {
        clock,
        random,
        log,
        transports,
        identity: session,
        resolve: (peer, bounds) => directory.resolve(peer, bounds),
        events: {
          frame: parts.onFrame,
          exhausted: parts.onExhausted,
          ...notices,
          linked(peer, link) {
            link.media?.onSample((trackId, sample) => parts.onSample(trackId, sample, peer));
            link.media?.onLive((id, track, ended) => parts.onLive(id, track, peer, ended));
            notices.linked(peer, link);
          },
        },
      },
      options.session,
    );
    const { sessions, pending } = this;
    const yields = new YieldBudget(clock);
    const plumbing = { clock, sessions, pending, deadlines: this.#deadlines, yields };
    this.caller = new Caller({ plumbing, random, tracer }, options.outbound);
    this.media = new MediaSender({ clock, session, sessions, transports });
    this.chunks = new ChunkSender(
      {
        ...plumbing,
        session,
        tracer,
        onUncertain: (notice) => hooks.emit("onError", uncertainDeliveryEvent(notice, clock.now())),
      },
      options.streams,
    );
  }

  /** Calls that left on a link that works no more are repeated on another, when there is one; else they wait for it. */
  #goAround(link: Link): void {
    const session = this.sessions.session(formatActrId(link.peer));
    if (session?.carrier === undefined) return;
    this.pending.disconnected(link, "it works no more, and another link carries on");
  }

  /** This node has another ActrId: peers would take what is repeated under it for something new. */
  rebound(): void {
    const message = "this node has got another identity meanwhile; call again";
    this.pending.failAll(new ActrError("connection_not_ready", message));
    void this.sessions.reset("this node has a new identity");
  }

  /** Fails what waits, closes every link. */
  async close(reason: string): Promise<void> {
    this.pending.failAll(new ActrError("stopping", reason));
    await this.sessions.close(reason);
    this.#deadlines.close();
  }
}
