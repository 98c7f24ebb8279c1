import { ActrError } from "../errors.ts";
import { isAllowed, type ResolvedRule } from "../inbound/acl.ts";
import type { StreamOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogAttributes, Logger } from "../ports/logger.ts";
import type { Link } from "../ports/transport.ts";
import { checkStreamId, type DataChunk, decodeDataChunk } from "../protocol/data_chunk.ts";
import { type Frame, lanes } from "../protocol/frame.ts";
import type { Peer } from "../session/peer.ts";
import { withinLimit } from "../time_limit.ts";
import { TokenBucket } from "../token_bucket.ts";
import { Backlog } from "./backlog.ts";
import { type ChunkSink, InboundStream } from "./inbound_stream.ts";
import { StreamTable } from "./stream_table.ts";

/** A handler of a stream failed. */
export interface StreamFailure {
  readonly streamId: string;
  readonly error: unknown;
}

/** Collaborators of {@link StreamRegistry}. */
export interface StreamRegistryComponents {
  readonly clock: Clock;
  readonly log: Logger;
  /** Who may send to streams that are bound to nobody; none: everybody. */
  readonly rules: readonly ResolvedRule[] | undefined;
  readonly onFailure: (failure: StreamFailure) => void;
}

/** Drops and failures told at once; then one a second. All are counted. */
const burst = 10;

/** Characters of a stranger's stream id that reach the log. */
const loggedIdLength = 64;

const never = new AbortController().signal;

/**
 * Takes chunks to who registered for their stream, each stream in order and apart from the others.
 *
 * A reliable chunk is never dropped once it is accepted. Chunks that wait weigh on the connection that brought
 * them; when they weigh too much, that connection is not read until half is handled. Until then calls pass by;
 * from then on they wait with the stream, on that connection alone: so a handler that waits for a call over the
 * connection that its stream comes by must not lag by more than `streams.maxLagBytes`.
 */
export class StreamRegistry {
  readonly #components: StreamRegistryComponents;
  readonly #options: StreamOptions;
  readonly #streams = new StreamTable();
  readonly #backlogs = new WeakMap<Link, Backlog>();
  readonly #allowed = new WeakMap<Peer, boolean>();
  readonly #dropsTold: TokenBucket;
  readonly #failuresTold: TokenBucket;
  #closed: Promise<void> | undefined;
  #received = 0;
  #dropped = 0;
  #overflowed = 0;
  #failed = 0;
  #held = 0;

  constructor(components: StreamRegistryComponents, options: StreamOptions) {
    this.#components = components;
    this.#options = options;
    const now = components.clock.monotonic();
    this.#dropsTold = new TokenBucket(burst, 1, now);
    this.#failuresTold = new TokenBucket(burst, 1, now);
  }

  /** Streams that are registered, or still handle what they had accepted. */
  get size(): number {
    return this.#streams.size;
  }

  /** Chunks accepted. */
  get received(): number {
    return this.#received;
  }

  /** Chunks that nobody waits for, that their sender may not send, or that are none. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Latency-first chunks that found their queue full. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** How often a connection was not read for a while, since its streams lagged. */
  get held(): number {
    return this.#held;
  }

  /** Chunks whose handler threw. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * Gives chunks of stream `id` to `sink`; `from`, the text of a peer's id, makes it that peer's stream alone.
   * After {@link close} it only tells the sink so.
   * @throws ActrError `invalid_argument`, `overloaded`.
   */
  register(id: string, from: string | undefined, sink: ChunkSink): void {
    checkStreamId(id);
    if (this.#closed !== undefined) return sink.ended?.(stopped());
    const known = this.#streams.get(id, from);
    const stream = known ?? this.#open(id, from);
    stream.assign(sink, new ActrError("unavailable", `stream ${id} was registered anew`));
  }

  /** Takes no more chunks of a stream; with `sink`, only while that takes them. */
  unregister(id: string, from: string | undefined, sink?: ChunkSink): void {
    const stream = this.#streams.get(id, from);
    if (stream === undefined || (sink !== undefined && stream.sink !== sink)) return;
    stream.assign(undefined, new ActrError("unavailable", `stream ${id} was unregistered`));
    if (!stream.worker.busy) this.#streams.delete(id, from);
  }

  /** Takes one frame of a stream lane. A returned promise holds the connection back until there is room. */
  receive(frame: Frame, from: Peer, link: Link): void | Promise<void> {
    if (this.#closed !== undefined) return;
    let chunk: DataChunk;
    try {
      chunk = decodeDataChunk(frame.body);
    } catch (error) {
      return this.#drop("stream.undecodable_dropped", from, { error });
    }
    const stream = this.#streams.find(chunk.streamId, from.key, () => this.#mayCall(from));
    if (stream === undefined) {
      const streamId = chunk.streamId.slice(0, loggedIdLength);
      return this.#drop("stream.unknown_dropped", from, { streamId });
    }
    const backlog = this.#backlogOf(link);
    if (frame.lane === lanes.streamLatencyFirst && this.#isFull(stream, backlog)) {
      this.#overflowed += 1;
      return;
    }
    this.#received += 1;
    stream.add(chunk, from.id, link, backlog, frame.body.length);
    if (frame.lane === lanes.streamLatencyFirst || !backlog.full) return undefined;
    this.#held += 1;
    this.#components.log.debug("stream.connection_held", {
      peer: from.key,
      streamId: chunk.streamId,
    });
    return backlog.room;
  }

  /** Everything that a connection brought is here, and no more comes: who reads streams of it hears so. */
  disconnected(link: Link, peer: Peer): void {
    const reason = `the connection to ${peer.key} was lost before the end of the stream`;
    for (const stream of this.#streams) {
      stream.disconnected(link, new ActrError("unavailable", reason));
    }
  }

  /** Takes nothing more, forgets what waits, and gives what runs a bounded time. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { clock, log } = this.#components;
    const streams = [...this.#streams];
    for (const { worker, sink } of streams) {
      worker.discard();
      sink?.ended?.(stopped());
    }
    const limit = { what: "the streams", ms: this.#options.closeTimeoutMs, signal: never };
    try {
      const rest = (): Promise<unknown> => Promise.all(streams.map(({ worker }) => worker.rest()));
      await withinLimit(clock, limit, rest);
    } catch {
      const running = streams.filter(({ worker }) => worker.busy).length;
      log.warn("stream.close_incomplete", { running });
    }
  }

  #open(id: string, from: string | undefined): InboundStream {
    const { maxStreams } = this.#options;
    if (this.#streams.size >= maxStreams) {
      const message = `${maxStreams} streams are registered; unregister some, or raise streams.maxStreams`;
      throw new ActrError("overloaded", message, { retryAfterMs: 1_000 });
    }
    const stream: InboundStream = new InboundStream({
      failed: (error) => this.#fail(id, error),
      idle: () => {
        if (stream.sink === undefined) this.#streams.delete(id, from);
      },
    });
    this.#streams.add(id, from, stream);
    return stream;
  }

  #mayCall(peer: Peer): boolean {
    let allowed = this.#allowed.get(peer);
    if (allowed === undefined) {
      allowed = isAllowed(peer.id, this.#components.rules);
      this.#allowed.set(peer, allowed);
    }
    return allowed;
  }

  #backlogOf(link: Link): Backlog {
    let backlog = this.#backlogs.get(link);
    if (backlog === undefined) {
      backlog = new Backlog(this.#options.maxLagBytes);
      this.#backlogs.set(link, backlog);
    }
    return backlog;
  }

  #isFull({ worker }: InboundStream, backlog: Backlog): boolean {
    return worker.queued >= this.#options.maxQueued || backlog.full;
  }

  #drop(event: string, from: Peer, attributes: LogAttributes): void {
    this.#dropped += 1;
    const { clock, log } = this.#components;
    if (!this.#dropsTold.take(clock.monotonic())) return;
    log.warn(event, { peer: from.key, dropped: this.#dropped, ...attributes });
  }

  #fail(streamId: string, error: unknown): void {
    this.#failed += 1;
    const { clock, log, onFailure } = this.#components;
    if (!this.#failuresTold.take(clock.monotonic())) return;
    log.warn("stream.handler_failed", { streamId, failed: this.#failed, error });
    onFailure({ streamId, error });
  }
}

function stopped(): ActrError {
  return new ActrError("stopping", "the node is stopping: its streams have ended");
}
