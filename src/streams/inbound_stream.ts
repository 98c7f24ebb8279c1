import type { ActrError } from "../errors.ts";
import type { Link } from "../ports/transport.ts";
import type { DataChunk } from "../protocol/data_chunk.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { ChunkHandler } from "../stream.ts";
import type { Backlog } from "./backlog.ts";
import { OrderedWorker, type WorkerEvents } from "./ordered_worker.ts";

/** Who takes the chunks of a stream. */
export interface ChunkSink {
  readonly take: ChunkHandler;
  /** Told after all that was accepted: chunks may be missing from here on, or none come any more. */
  ended?(reason: ActrError): void;
}

/** One registered stream. It outlives its sink until what that accepted is handled, so that a new sink comes after it. */
export class InboundStream {
  readonly worker: OrderedWorker;
  #sink: ChunkSink | undefined;
  /** The connection that brought the newest chunk. */
  #link: Link | undefined;

  constructor(events: WorkerEvents) {
    this.worker = new OrderedWorker(events);
  }

  /** Who takes its chunks. */
  get sink(): ChunkSink | undefined {
    return this.#sink;
  }

  /** Gives further chunks to `sink`; who took them before hears `reason` after his own. */
  assign(sink: ChunkSink | undefined, reason: ActrError): void {
    const before = this.#sink;
    this.#sink = sink;
    this.#link = undefined;
    if (before !== undefined) this.#end(before, reason);
  }

  /** Hands a chunk to who takes them now, after those before it; he keeps it whoever comes next. */
  add(chunk: DataChunk, sender: ActrId, link: Link, backlog: Backlog, bytes: number): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#link = link;
    this.worker.add(() => sink.take(chunk, sender), backlog, bytes);
  }

  /** A connection is gone; if it brought the newest chunk, further ones may be missing. */
  disconnected(link: Link, reason: ActrError): void {
    if (this.#link !== link || this.#sink === undefined) return;
    this.#link = undefined;
    this.#end(this.#sink, reason);
  }

  #end(sink: ChunkSink, reason: ActrError): void {
    if (sink.ended !== undefined) this.worker.add(() => sink.ended?.(reason));
  }
}
