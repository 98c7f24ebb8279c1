import { ActrError } from "../errors.ts";
import { isAllowed, originOf } from "../inbound/acl.ts";
import type { StreamOptions } from "../options.ts";
import type { Link } from "../ports/transport.ts";
import type { ResolvedRule } from "../protocol/acl.ts";
import { checkStreamId, type DataChunk, decodeDataChunk } from "../protocol/data_chunk.ts";
import { type Frame, lanes } from "../protocol/frame.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { Peer } from "../session/peer.ts";
import { withinLimit } from "../time_limit.ts";
import { Backlog } from "./backlog.ts";
import { type ChunkSink, InboundStream } from "./inbound_stream.ts";
import { StreamTable } from "./stream_table.ts";
import { StreamTally, type StreamTallyComponents } from "./stream_tally.ts";

/** Collaborators of {@link StreamRegistry}. */
export interface StreamRegistryComponents extends StreamTallyComponents {
  /** Who may send to streams that are bound to nobody; none: everybody. */
  readonly rules: readonly ResolvedRule[] | undefined;
  /** This node, read live: rules do not bind it. */
  readonly selfId: () => ActrId;
}

/** Characters of a stranger's stream id that reach the log. */
const loggedIdLength = 64;

const never = new AbortController().signal;

/**
 * Takes chunks to who registered for their stream, each stream in order and apart from the others.
 *
 * A reliable chunk is never dropped once it is accepted. Chunks that wait weigh on the connection that brought
 * them; when they weigh too much, that connection is not read until half is handled. Until then calls pass by;
 * from then on they wait with the stream, on that connection alone, unless it reads its lanes apart as WebRTC does: so a
 * handler that waits for a call over the connection that its stream comes by must not lag by more than
 * `streams.maxLagBytes`.
 */
export class StreamRegistry {
  readonly tally: StreamTally;
  readonly #components: StreamRegistryComponents;
  readonly #options: StreamOptions;
  readonly #streams = new StreamTable();
  readonly #backlogs = new WeakMap<Link, Backlog>();
  /** Latency-first chunks weigh apart, so that a reliable stream that lags does not cost any of them. */
  readonly #lossyBacklogs = new WeakMap<Link, Backlog>();
  readonly #allowed = new WeakMap<Peer, boolean>();
  #closed: Promise<void> | undefined;

  constructor(components: StreamRegistryComponents, options: StreamOptions) {
    this.#components = components;
    this.#options = options;
    this.tally = new StreamTally(components);
  }

  /** Streams that are registered, or still handle what they had accepted. */
  get size(): number {
    return this.#streams.size;
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
      return this.tally.drop("stream.undecodable_dropped", from, { error });
    }
    const stream = this.#streams.find(chunk.streamId, from.key, () => this.#mayCall(from));
    if (stream === undefined) {
      const streamId = chunk.streamId.slice(0, loggedIdLength);
      return this.tally.drop("stream.unknown_dropped", from, { stream_id: streamId });
    }
    const reliable = frame.lane === lanes.streamReliable;
    const backlog = this.#backlogOf(link, reliable ? this.#backlogs : this.#lossyBacklogs);
    if (!reliable && this.#isFull(stream, backlog)) return this.tally.overflow();
    this.tally.receive();
    stream.add(chunk, from.id, link, backlog, frame.body.length);
    if (!reliable || !backlog.full) return;
    this.tally.hold(from, chunk.streamId);
    return backlog.room;
  }

  /** Everything that a connection brought is here, and no more comes: who reads streams of it hears so. */
  disconnected(link: Link, peer: Peer): void {
    const message = `the connection to ${peer.key} was lost before the end of the stream`;
    const reason = new ActrError("unavailable", message);
    for (const stream of this.#streams) stream.disconnected(link, reason);
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
      failed: (error) => this.tally.fail({ streamId: id, error }),
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
      const { rules, selfId } = this.#components;
      allowed = isAllowed(originOf(peer, selfId()), rules);
      this.#allowed.set(peer, allowed);
    }
    return allowed;
  }

  #backlogOf(link: Link, backlogs: WeakMap<Link, Backlog>): Backlog {
    let backlog = backlogs.get(link);
    if (backlog === undefined) {
      backlog = new Backlog(this.#options.maxLagBytes);
      backlogs.set(link, backlog);
    }
    return backlog;
  }

  #isFull({ worker }: InboundStream, backlog: Backlog): boolean {
    return worker.queued >= this.#options.maxQueued || backlog.full;
  }
}

function stopped(): ActrError {
  return new ActrError("stopping", "the node is stopping: its streams have ended");
}
