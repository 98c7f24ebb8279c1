import { ActrError } from "../errors.ts";
import type { SessionState } from "../identity/session_state.ts";
import type { StreamOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tracer } from "../ports/tracer.ts";
import type { Link } from "../ports/transport.ts";
import { checkStreamId, dataChunkFrame } from "../protocol/data_chunk.ts";
import { type Frame, type Lane, lanes } from "../protocol/frame.ts";
import { loanOf } from "../protocol/frame_buffers.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { noMetadata } from "../protocol/metadata.ts";
import type { Deadlines } from "../session/deadlines.ts";
import type { LinkEnd, SessionManager } from "../session/session_manager.ts";
import type { YieldBudget } from "../session/yield_budget.ts";
import { spanned } from "../spans.ts";
import type { ChunkInit, SendChunkOptions } from "../stream.ts";
import { abortAfter } from "../time_limit.ts";
import { StreamActivity } from "./activity.ts";
import { BoundedWait } from "./bounded_wait.ts";

/** Chunks sent to a peer may be lost: it is not known which arrived (`spec/transport.md` §8). */
export interface DeliveryUncertain {
  readonly streamId: string;
  /** Number of the connection. */
  readonly sessionId: string;
  readonly reason: string;
}

/** Collaborators of {@link ChunkSender}. */
export interface ChunkSenderComponents {
  readonly clock: Clock;
  readonly session: Pick<SessionState, "current" | "assertUsable">;
  readonly sessions: SessionManager;
  readonly deadlines: Deadlines;
  readonly yields: YieldBudget;
  readonly tracer?: Tracer | undefined;
  /** Told once for each stream that was sent on a connection shortly before that was lost. */
  readonly onUncertain: (notice: DeliveryUncertain) => void;
}

/** Ends of a WebRTC connection that have a text of their own in notices; every other one is told after `connection closed` (`spec/transport.md` §8). */
const namedEnds: ReadonlySet<string> = new Set([
  "data channel closed",
  "ice restart failed",
  "connection closed",
]);

const maxSequence = 0xffff_ffff_ffff_ffffn;

/** {@link SendChunkOptions} with the defaults filled in. */
export interface SendBounds {
  readonly lane: Lane;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Sends chunks to peers: once each, with no second try. */
export class ChunkSender {
  readonly #components: ChunkSenderComponents;
  readonly #options: StreamOptions;
  readonly #activity: StreamActivity;
  #connecting = 0;
  #dropped = 0;

  constructor(components: ChunkSenderComponents, options: StreamOptions) {
    this.#components = components;
    this.#options = options;
    this.#activity = new StreamActivity(components.clock);
  }

  /** Latency-first chunks that were not sent, since their connection was behind. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @throws ActrError `invalid_argument` for a payload type, id or deadline that cannot be. */
  bounds(streamId: string, options: SendChunkOptions = {}): SendBounds {
    const { payloadType: lane = lanes.streamReliable, timeoutMs = this.#options.sendTimeoutMs } =
      options;
    checkStreamId(streamId);
    if (lane !== lanes.streamReliable && lane !== lanes.streamLatencyFirst) {
      const message = `payload type ${lane} cannot carry a chunk; use 2 (STREAM_RELIABLE) or 3 (STREAM_LATENCY_FIRST)`;
      throw new ActrError("invalid_argument", message);
    }
    if (!(timeoutMs > 0) || !Number.isFinite(timeoutMs)) {
      throw new ActrError("invalid_argument", `timeoutMs is ${timeoutMs}; it must be above 0`);
    }
    return { lane, timeoutMs, signal: options.signal };
  }

  /** Counts this node's identities: a stream that began under one does not go on under the next. */
  get generation(): number {
    return this.#components.session.current.generation;
  }

  /** @throws ActrError `connection_not_ready` when the node has another identity than under `generation`, or none that peers accept. */
  assertUsable(generation: number): void {
    this.#components.session.assertUsable(generation);
  }

  /** Sends one chunk on whatever connection is there, or can be had in time. False when it was dropped. */
  send(
    target: ActrId,
    streamId: string,
    chunk: ChunkInit,
    options?: SendChunkOptions,
  ): Promise<boolean> {
    const { tracer } = this.#components;
    const span = tracer?.start("RuntimeContext.send_chunk", options?.trace ?? {}, {
      stream_id: streamId,
      target: formatActrId(target),
    });
    return spanned(span, this.#send(target, streamId, chunk, options));
  }

  async #send(
    target: ActrId,
    streamId: string,
    chunk: ChunkInit,
    options: SendChunkOptions | undefined,
  ): Promise<boolean> {
    const bounds = this.bounds(streamId, options);
    const frame = chunkFrame(bounds.lane, streamId, chunk);
    const deadline = this.#components.clock.monotonic() + bounds.timeoutMs;
    const ready = this.#components.sessions.requestLink(formatActrId(target));
    const link = ready ?? (await this.connect(target, bounds));
    return await this.hand(link, streamId, frame, { ...bounds, deadline });
  }

  /** The connection for a stream to `target`. @throws ActrError `unavailable`, `timed_out`, `overloaded`; the signal's reason. */
  async connect(target: ActrId, { timeoutMs, signal }: SendBounds): Promise<Link> {
    const { clock, sessions } = this.#components;
    const { maxConnecting } = this.#options;
    if (this.#connecting >= maxConnecting) {
      const message = `${maxConnecting} sends wait for a connection; wait for each, or open() the stream first`;
      throw new ActrError("overloaded", message, { retryAfterMs: 100 });
    }
    const key = formatActrId(target);
    const limit = abortAfter(clock, timeoutMs, signal, `connecting to ${key}`);
    this.#connecting += 1;
    try {
      return await sessions.acquire(target, key, limit.signal);
    } finally {
      this.#connecting -= 1;
      limit.cancel();
    }
  }

  /** Hands one frame to `link`; resolves when that has room for more and others had their turn. False when it was dropped. */
  hand(
    link: Link,
    streamId: string,
    frame: Frame,
    bounds: { readonly deadline: number; readonly signal: AbortSignal | undefined },
  ): Promise<boolean> {
    const { signal, deadline } = bounds;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (frame.lane === lanes.streamLatencyFirst && this.#lags(link)) {
      this.#dropped += 1;
      return Promise.resolve(false);
    }
    this.#activity.sent(link, streamId);
    const what = `sending on stream ${streamId}`;
    const bounded = { what, deadline, signal };
    const { deadlines, yields } = this.#components;
    const loan = loanOf(frame.body);
    const sent = link.send(frame, loan?.lend());
    loan?.release();
    const turn = yields.spend(frame.body.length);
    const room = turn === undefined ? sent : sent.then(() => turn);
    return BoundedWait.for(room, true, deadlines, bounded);
  }

  /** Whether the connection is behind with latency-first chunks, or with anything where these wait for all else. */
  #lags(link: Link): boolean {
    const waiting = link.bufferedOn?.(lanes.streamLatencyFirst) ?? link.bufferedBytes;
    return waiting > this.#options.maxSendLagBytes;
  }

  /** A connection is gone: what was sent on it lately may not have arrived. One that this side closed was emptied first, unless it was abandoned. */
  disconnected(link: Link, end: LinkEnd): void {
    const recent = this.#activity.take(link);
    const emptied = end.by === "local" && end.abandoned !== true;
    if (recent === undefined || emptied) return;
    const sessionId = String(recent.sessionId);
    const reason = namedEnds.has(end.reason) ? end.reason : `connection closed: ${end.reason}`;
    for (const streamId of recent.streamIds) {
      this.#components.onUncertain({ streamId, sessionId, reason });
    }
  }
}

/** A chunk as a frame of `lane`, its defaults filled in. @throws RangeError for a sequence that is no u64. */
export function chunkFrame(lane: Lane, streamId: string, chunk: ChunkInit): Frame {
  const { payload, sequence = 0n, metadata = noMetadata, timestampMs } = chunk;
  if (sequence < 0n || sequence > maxSequence) throw new RangeError(`${sequence} is no u64`);
  const filled = { streamId, sequence, payload, metadata };
  return dataChunkFrame(lane, timestampMs === undefined ? filled : { ...filled, timestampMs });
}
