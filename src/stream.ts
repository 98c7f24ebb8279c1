import type { TraceContext } from "./ports/tracer.ts";
import type { DataChunk } from "./protocol/data_chunk.ts";
import type { Lane } from "./protocol/frame.ts";
import type { ActrId } from "./protocol/ids.ts";
import type { MetadataEntry } from "./protocol/metadata.ts";

/**
 * Handles one chunk. Chunks of one stream come one by one, in the order in which they arrived; the next
 * waits for a returned promise. Until it returns, nothing else of the node runs; at its awaits, handlers
 * and other streams go on beside it. What it throws is counted and logged, and the next chunk follows.
 */
export type ChunkHandler = (chunk: DataChunk, sender: ActrId) => void | Promise<void>;

/** Whose chunks a handler takes. */
export interface StreamSource {
  /** The only peer whose chunks are taken, access rules or not. @default everybody whom the node's access rules allow to call */
  readonly from?: ActrId;
}

/** What is sent of a chunk. */
export interface ChunkInit {
  readonly payload: Uint8Array;
  /** u64, for the receiver to make of it what it likes. @default 0n */
  readonly sequence?: bigint;
  readonly metadata?: readonly MetadataEntry[];
  /** Unix milliseconds. */
  readonly timestampMs?: number;
}

/** How chunks are sent. */
export interface SendChunkOptions {
  /** 2 STREAM_RELIABLE waits for a peer that reads slowly; 3 STREAM_LATENCY_FIRST drops instead. @default 2 */
  readonly payloadType?: Lane;
  /** Deadline over dialling and waiting, milliseconds. @default 15000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Trace that the sending belongs to; chunks themselves carry none. */
  readonly trace?: TraceContext;
}

/** The sending end of a stream, on one connection: chunks keep their order, and its loss ends the stream. */
export interface StreamWriter extends AsyncDisposable {
  readonly streamId: string;
  /** Number of the next chunk, from 0. */
  readonly sequence: bigint;
  /**
   * Sends the next chunk; resolves when the connection has room for more. Nothing says that the peer has it.
   * False when the chunk was dropped instead, which only STREAM_LATENCY_FIRST does.
   * @throws ActrError `unavailable` when the connection is gone, `timed_out`, `overloaded`, `invalid_argument`
   * when closed, or longer than the connection takes; `connection_not_ready` when this node has another
   * identity by now; the signal's reason.
   */
  write(payload: Uint8Array, chunk?: Omit<ChunkInit, "payload" | "sequence">): Promise<boolean>;
  /** Tells a reader that this was all. Idempotent. @throws as `write`. */
  close(): Promise<void>;
  /** Ends the stream for its reader with `error`; what is not for strangers to read is withheld. @throws as `write`. */
  abort(error: unknown): Promise<void>;
}

/** How a stream is read. */
export interface ReceiveOptions {
  /** Whose stream it is. */
  readonly from: ActrId;
  /** How long the next chunk may take, milliseconds; Infinity for streams that may be silent. @default 300000 */
  readonly idleTimeoutMs?: number;
  /** Ends the stream with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * The receiving end of a stream, to be iterated once. It ends when the writer closes, and throws what the
 * writer gave up with: `unavailable` when the connection is lost first, `timed_out`, `stopping`, the
 * signal's reason. Leaving the loop closes it.
 */
export interface StreamReader extends AsyncIterableIterator<DataChunk>, AsyncDisposable {
  /** Takes nothing more. Idempotent. */
  close(): void;
}

/** Data streams of a node (`spec/node.md` §14): both sides agree on an id, by a call for example; nothing on the wire opens a stream. */
export interface Streams {
  /** An id that no other stream has. */
  newId(): string;
  /**
   * Handles chunks of stream `id`, in place of who did so before; chunks accepted until then are still his.
   * @throws ActrError `invalid_argument` for the id, `overloaded` when too many streams are registered.
   */
  register(id: string, handler: ChunkHandler, source?: StreamSource): void;
  /** Takes no more chunks; those accepted are still handled. Idempotent. */
  unregister(id: string, source?: StreamSource): void;
  /**
   * Sends one chunk, on whatever connection is there. The result is that of {@link StreamWriter.write}.
   * @throws ActrError as `write`; `invalid_argument`, before anything is sent, for other payload types;
   * `connection_not_ready` while the node has no usable identity.
   */
  send(
    target: ActrId,
    streamId: string,
    chunk: ChunkInit,
    options?: SendChunkOptions,
  ): Promise<boolean>;
  /** Connects, for a stream of chunks. @throws as `send`. */
  open(target: ActrId, streamId: string, options?: SendChunkOptions): Promise<StreamWriter>;
  /** Takes stream `id` of one peer from now on, to be read at the reader's own pace. @throws as `register`. */
  receive(id: string, options: ReceiveOptions): StreamReader;
}
