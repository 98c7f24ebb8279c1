import type { StreamOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Link } from "../ports/transport.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import type {
  ChunkHandler,
  ChunkInit,
  ReceiveOptions,
  SendChunkOptions,
  StreamReader,
  StreamSource,
  Streams,
  StreamWriter,
} from "../stream.ts";
import type { ChunkSender } from "./chunk_sender.ts";
import { LinkWriter } from "./link_writer.ts";
import { QueueReader } from "./queue_reader.ts";
import type { StreamRegistry } from "./stream_registry.ts";

/** What a node's streams are made of. */
export interface NodeStreamsComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: StreamRegistry;
  readonly sender: ChunkSender;
}

/** How a stream is opened from within. */
export interface OpenOptions extends SendChunkOptions {
  /** A connection that is known to be read at its other end, such as the one that a request came by. @default whatever is there, or can be had */
  readonly link?: Link;
}

/** The streams of a node as its code uses them. */
export class NodeStreams implements Streams {
  readonly #components: NodeStreamsComponents;
  readonly #options: StreamOptions;

  constructor(components: NodeStreamsComponents, options: StreamOptions) {
    this.#components = components;
    this.#options = options;
  }

  newId(): string {
    return this.#components.random.uuid();
  }

  register(id: string, handler: ChunkHandler, source: StreamSource = {}): void {
    this.#components.registry.register(id, keyOf(source), { take: handler });
  }

  unregister(id: string, source: StreamSource = {}): void {
    this.#components.registry.unregister(id, keyOf(source));
  }

  send(
    target: ActrId,
    streamId: string,
    chunk: ChunkInit,
    options?: SendChunkOptions,
  ): Promise<boolean> {
    return this.#components.sender.send(target, streamId, chunk, options);
  }

  async open(target: ActrId, streamId: string, options?: OpenOptions): Promise<StreamWriter> {
    const { sender } = this.#components;
    const bounds = sender.bounds(streamId, options);
    const link = options?.link ?? (await sender.connect(target, bounds));
    return new LinkWriter(this.#components, link, streamId, bounds);
  }

  receive(id: string, options: ReceiveOptions): StreamReader {
    const { signal, idleTimeoutMs = this.#options.idleTimeoutMs } = options;
    signal?.throwIfAborted();
    const { clock, registry } = this.#components;
    const from = formatActrId(options.from);
    const reader: QueueReader = new QueueReader(
      { clock, onClosed: () => registry.unregister(id, from, reader) },
      { what: `stream ${id} of ${from}`, idleTimeoutMs, signal },
    );
    try {
      registry.register(id, from, reader);
    } catch (error) {
      reader.close();
      throw error;
    }
    return reader;
  }
}

function keyOf({ from }: StreamSource): string | undefined {
  return from === undefined ? undefined : formatActrId(from);
}
